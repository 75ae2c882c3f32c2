"""A date format is found by every value; where two fit, the person is asked, and only then."""

from __future__ import annotations

import pytest

from tally.drafting import dates


@pytest.mark.parametrize(("texts", "format_", "other"), [
    (["1/2/2020", "3/31/2020"], "%m/%d/%Y", ""),
    (["1/2/2020", "31/3/2020"], "%d/%m/%Y", ""),
    (["1/2/2020", "3/4/2020", "5/5/2021"], "%m/%d/%Y", "%d/%m/%Y"),
    (["1/1/2020", "1/2/2020", "1/3/2020"], "%d/%m/%Y", ""),
    (["1/1/2020", "2/1/2020", "3/1/2020"], "%m/%d/%Y", ""),
    (["2020-01-31", "2020-12-01"], "%Y-%m-%d", ""),
    (["2020-01-31T10:00:00Z"], "%Y-%m-%dT%H:%M:%S%z", ""),
    (["31.12.2020", "01.01.2021"], "%d.%m.%Y", ""),
    (["Dec-2015", "Jan-2016"], "%b-%Y", ""),
])
def test_the_format_fits_every_value(texts, format_, other):
    found = dates.guess(texts, packed=False)

    assert (found.format, found.other) == (format_, other)
    assert len(found.moments) == len(texts)


@pytest.mark.parametrize("texts", [["12.5", "13.1"], ["A11", "A12"], ["2020-01-31", "soon"], ["31.02.2020", "1.1.2020"],
                                   ["0001-01-01"], []])
def test_what_is_no_date_is_none(texts):
    assert dates.guess(texts, packed=False) is None


def test_figures_are_dates_only_where_the_header_says_so():
    assert dates.guess(["201801", "201902"], packed=False) is None
    assert dates.guess(["201801", "201902"], packed=True).format == "%Y%m"
