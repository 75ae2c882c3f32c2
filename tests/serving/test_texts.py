"""What a person cannot see is in no text, in the service and in the pattern of its description alike."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest

from serving.texts import ALLOWED, PATTERN, Invalid, text


def let_through(letter: str) -> bool:
    try:
        return text(f"1{letter}") != ""
    except Invalid:
        return False


def test_whatever_python_does_not_print_is_refused_unless_unicode_has_not_given_it_out():
    pattern, letters = re.compile(PATTERN[:-1] + r"\Z"), [chr(code) for code in range(sys.maxunicode + 1)]
    found = [letter for letter in letters if let_through(letter)]
    assert {unicodedata.category(letter) for letter in found if not letter.isprintable()} <= {"Cn"}
    described = {letter for letter in letters if pattern.match(f"1{letter}") and unicodedata.category(letter) != "Cs"}
    assert described ^ set(found) == set()


@pytest.mark.parametrize("invisible", ["\u200b", "\u200d", "\u202e", "\ufe0f", "\u3164", "\u034f", "\u2066", "\U000e0041", "\u00ad"])
def test_a_mark_nobody_sees_is_refused(invisible):
    with pytest.raises(Invalid, match=re.escape(ALLOWED)):
        text(f"1{invisible}2")


@pytest.mark.parametrize("said", ["Jos\u00e9", "\u0645\u0631\u064a\u0645", "\u738b\u5c0f\u660e", "O'Neill & Co. #7", "\U0001f3e6"])
def test_names_of_every_script_are_let_through(said):
    assert text(said) == said


def test_a_card_number_is_refused_unless_it_is_known_to_be_the_lenders_own():
    with pytest.raises(Invalid, match="card number") as refused:
        text("4111 1111 1111 1111")
    assert "4111" not in str(refused.value)
    assert text("4111111111111111", ours=re.compile("4[0-9]{15}").fullmatch) == "4111111111111111"
