"""What looks like a card number is found however it is written, and ids of the usual makes are not taken for one."""

from __future__ import annotations

import hashlib
import random
import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from governance import cards
from governance.cards import ISSUERS, holds_card

TESTED = ["4111111111111111", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005", "6011111111111117",
          "3530111333300000", "30569309025904", "38520000023237", "6200000000000005", "2200000000000004", "6759649826438453",
          "8171999927660000"]


@st.composite
def numbers(draw) -> str:
    """A number that some issuer could have given out."""
    low, high, lengths = draw(st.sampled_from(ISSUERS))
    length = draw(st.sampled_from(sorted(lengths)))
    digits = str(draw(st.integers(low, high))) + "".join(str(draw(st.integers(0, 9))) for _ in range(length - 5))
    return digits + luhn.calc_check_digit(digits)


@pytest.mark.parametrize("number", TESTED)
def test_the_test_numbers_of_the_networks_are_found(number):
    assert holds_card(number)


@given(numbers(), st.sampled_from(["", " ", "-", ".", "\u2011", "\u00a0", " - ", "_", "/"]), st.sampled_from([1, 2, 4, 5, 6]),
       st.sampled_from(["", "card: ", "paid with", "\u00e9", "#", "2027 "]), st.sampled_from(["", " 12/27", "x", " cvv 123", "\n"]))
def test_a_card_number_is_found_in_groups_and_among_words(number, between, size, before, after):
    grouped = between.join(number[at:at + size] for at in range(0, len(number), size))
    assert holds_card(f"{before}{grouped}{after}")


@given(numbers(), st.sampled_from([0x0660, 0x0966, 0xFF10, 0x1D7CE]), st.sampled_from(["", "\u200b", "\ufe0f", "\u2060"]))
def test_a_card_number_in_digits_of_another_script_or_with_invisible_marks_is_found(number, zero, invisible):
    assert holds_card(invisible.join(chr(zero + int(digit)) for digit in number))


@given(numbers())
def test_a_number_with_a_wrong_digit_is_none(number):
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert not holds_card(wrong)


@pytest.mark.parametrize("text", ["", "1", "p000123", "1234567890123456", "1712345678901234", "2024-01-31 12:00:00.123456",
                                  "+49 151 23456789", "ORDER-2024-000123-45", "0" * 16, "9" * 16, "DE89370400440532013000", "1" * 23])
def test_ordinary_ids_numbers_and_times_are_none(text):
    assert not holds_card(text)


def test_of_many_uuids_and_digests_none_is_taken_for_a_card(monkeypatch):
    chance = random.Random(7)  # noqa: S311 - a seeded draw
    texts = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(100_000)]
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts[:20_000]]
    assert not any(holds_card(f"loan-{text}") for text in (*texts, *digests))
    monkeypatch.setattr(cards, "RANDOM", re.compile("(?!)"))
    assert 1_700 < len(texts) / sum(map(holds_card, texts)) < 3_600  # by chance: about 1 in 2,500, as the page says


def test_the_share_of_random_numbers_that_are_taken_for_a_card_is_what_the_page_says():
    chance = random.Random(8)  # noqa: S311 - a seeded draw
    share = {digits: sum(holds_card(str(chance.randrange(10**(digits - 1), 10**digits))) for _ in range(20_000)) / 20_000
             for digits in (12, 13, 14, 15, 16, 17, 18, 19, 20)}
    assert share[12] == share[20] == 0
    assert share == {12: 0, 13: pytest.approx(0.011, abs=0.003), 14: pytest.approx(0.004, abs=0.002), 15: pytest.approx(0.002, abs=0.002),
                     16: pytest.approx(0.043, abs=0.006), 17: pytest.approx(0.020, abs=0.004), 18: pytest.approx(0.032, abs=0.005),
                     19: pytest.approx(0.031, abs=0.005), 20: 0}
