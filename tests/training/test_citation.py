"""A cited value says where it stands; whoever follows it finds it again, whatever its key is called."""

from __future__ import annotations

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import citation, document  # noqa: F401 - gives the pages their filters
from training.citation import Cited
from training.documents import PAGES

DATA = {"a/b": {"~c": [{"x": 0.5}, {"x": None}]}, "n": 1200, "gone": None, "words": ["one", "two"]}
FILE = Cited(DATA, "some.json")


def test_the_examples_hold():
    assert doctest.testmod(citation).failed == 0


def test_a_value_is_found_again_by_its_pointer():
    cited = FILE["a/b"]["~c"][0]["x"]

    assert cited.pointer == "some.json#/a~1b/~0c/0/x"
    assert citation.find({"some.json": FILE}, cited.pointer) == 0.5


LEAF = st.floats(allow_nan=False) | st.text()


@given(st.recursive(LEAF, lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.text(), inner, min_size=1)))
def test_every_leaf_of_any_data_is_found_again(data):
    def leaves(cited):
        if not isinstance(cited.cited_value, dict | list):
            yield cited
        else:
            for each in (cited if isinstance(cited.cited_value, list) else (value for _, value in citation.pairs(cited))):
                yield from leaves(each)

    root = Cited(data, "f")
    for cited in leaves(root):
        assert citation.find({"f": root}, cited.pointer) == cited.cited_value


def test_what_is_shown_carries_its_source_and_is_escaped():
    shown = citation.show(Cited({"<k>": "<b>&"}, "f.json")["<k>"])

    assert shown == '<span data-of="f.json#/&lt;k&gt;" data-as="text">&lt;b&gt;&amp;</span>'
    assert citation.show_key(FILE["a/b"]) == '<span data-of="some.json#/a~1b" data-as="key">a/b</span>'


def test_a_key_that_is_not_there_cannot_be_shown():
    with pytest.raises(Exception, match="no_such"):
        PAGES.from_string('{{ file["no_such"] | cite }}').render(file=FILE)
    with pytest.raises(LookupError):
        citation.find({"some.json": FILE}, "some.json#/no_such")


def test_a_missing_value_is_a_dash_in_every_format():
    formats = citation.FORMATS.keys() - {"sentence", "digest"}

    assert {citation.formatted(None, name) for name in formats} == {"\N{EN DASH}"}


@pytest.mark.parametrize("text", ["01", "1_000", "nan", "Infinity", "+5", "1.", " 1"])
def test_a_text_that_python_would_read_as_a_number_stays_a_text(tmp_path, text):
    (tmp_path / "bands.csv").write_text(f"band\n{text}\n")

    assert citation.load(tmp_path / "bands.csv", "bands.csv").cited_value == [{"band": text}]


def test_rows_of_a_csv_have_numbers_where_they_are_numbers(tmp_path):
    (tmp_path / "t.csv").write_text("band,rows,share,low\nA,12,0.5,\n1.0,3,1e-05,2\n")
    rows = citation.load(tmp_path / "t.csv", "t.csv").cited_value

    assert rows == [{"band": "A", "rows": 12, "share": 0.5, "low": None}, {"band": 1.0, "rows": 3, "share": 1e-05, "low": 2}]


@pytest.mark.parametrize(("value", "kind"), [(1.5, "value"), (["a"], "value"), ([], "value"), ([{"a": 1}], "table"),
                                             ([{"a": {"b": 1}}], "list"), ([[1], [2]], "list"), ({"a": 1}, "mapping"),
                                             (["x" * 61], "lines")])
def test_a_value_nothing_is_known_of_has_a_kind(value, kind):
    assert citation.kind(Cited(value, "f")) == kind


def test_anything_at_all_is_shown_with_every_leaf_cited():
    deep = {"parts": {"a": {"n": 1, "x": 0.25}, "b": {"n": 2, "x": None}}, "list": [[1.5], [2.5]], "rows": [{"k": "v"}], "flag": True,
            "empty": {}, "mixed": {"one": 1, "more": {"two": 2}}, "texts": ["p", "q"]}
    template = PAGES.from_string('{% from "cited.html" import anything %}{{ anything(file) }}')
    shown = dict(re.findall(r'data-of="f#([^"]*)" data-as="(?!key)[^"]*">([^<]*)<', template.render(file=Cited(deep, "f"))))

    assert shown == {"/parts/a/n": "1", "/parts/a/x": "0.25", "/parts/b/n": "2", "/parts/b/x": "\N{EN DASH}", "/list/0": "1.5",
                     "/list/1": "2.5", "/rows/0/k": "v", "/flag": "yes", "/mixed/one": "1", "/mixed/more/two": "2", "/texts": "p, q"}
