"""A page escapes what it is given, refuses what it was not, and says a missing figure as such."""

from __future__ import annotations

import doctest

import pytest
from jinja2 import UndefinedError

from training import documents


def test_the_examples_hold():
    assert doctest.testmod(documents).failed == 0


def test_a_missing_figure_is_a_dash_and_a_negative_one_has_a_minus_sign():
    assert [documents.share(None), documents.figure(None), documents.amount(None)] == ["\N{EN DASH}"] * 3
    assert [documents.figure(-0.5), documents.amount(-12_345.678)] == ["\N{MINUS SIGN}0.50", "\N{MINUS SIGN}12,345.7"]


def test_a_template_asks_for_everything_it_shows(tmp_path):
    with pytest.raises(UndefinedError):
        documents.write("catalogue.html", tmp_path / "page.html", portfolio="mill")


def test_values_are_escaped():
    page = documents.PAGES.from_string('{% extends "page.html" %}{% block title %}{{ name }}{% endblock %}')

    assert "<title>&lt;script&gt;</title>" in page.render(name="<script>")
    assert "default-src 'none'" in page.render(name="")
