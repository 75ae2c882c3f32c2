"""Which column is the outcome and which text is bad: told by words, by a header with yes and no, and asked where neither tells."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from feature_repo.errors import DataError
from tally.drafting import outcome
from tally.drafting.profiles import profile


def column(header, **counts):
    return profile(header, pa.chunked_array([[text for text, count in counts.items() for _ in range(count)]]))


def of(header, counts):
    return outcome.verdicts(column(header, **counts), ())


@pytest.mark.parametrize(("header", "counts", "bad", "good", "neither"), [
    ("Loan Status", {"Fully Paid": 70, "Charged Off": 20, "Current": 10}, {"Charged Off"}, {"Fully Paid"}, {"Current"}),
    ("status", {"Default": 5, "Current": 95}, {"Default"}, {"Current"}, set()),
    ("good_bad", {"good": 5, "bad": 6}, {"bad"}, {"good"}, set()),
    ("MIS_Status", {"P I F": 80, "CHGOFF": 20}, {"CHGOFF"}, {"P I F"}, set()),
    ("default", {"0": 80, "1": 20}, {"1"}, {"0"}, set()),
    ("fully_paid", {"1": 80, "0": 20}, {"0"}, {"1"}, set()),
    ("target", {"0": 80, "1": 20}, {"1"}, {"0"}, set()), ("ever90dpd_12m", {"0": 80, "1": 20}, {"1"}, {"0"}, set()),
    ("y", {"no default": 80, "default": 20}, {"default"}, {"no default"}, set()),
    ("Default", {"No": 80, "Yes": 15, "NA": 5}, {"Yes"}, {"No"}, {"NA"}),
])
def test_what_can_be_told_is_told(header, counts, bad, good, neither):
    found = of(header, counts)

    assert (set(found.bad), set(found.good), set(found.neither), found.open) == (bad, good, neither, "")


@pytest.mark.parametrize(("header", "counts"), [("16", {"-": 55, "+": 45}), ("class", {"1": 70, "2": 30}), ("target", {"1": 80, "0": 20}),
                                                ("kind", {"A": 70, "B": 30})])
def test_what_cannot_be_told_is_asked_with_its_shares(header, counts):
    found = of(header, counts)

    assert found.bad == found.good == ()
    assert found.open.startswith("DECIDE: which of")
    assert all(f"{text!r}" in found.open for text in counts)
    assert found.neither == ()


def test_a_text_that_says_nothing_beside_texts_that_do_is_asked_alone():
    found = of("loan_status", {"Paid": 60, "Default": 30, "Zeta": 10})

    assert found.neither == ("DECIDE: is 'Zeta' (10.0%) bad, good or neither?",)


def test_the_person_may_say_it():
    kind = column("kind", A=70, B=30)

    assert outcome.verdicts(kind, ("A",)).good == ("B",)
    with pytest.raises(DataError, match="no such text"):
        outcome.verdicts(kind, ("C",))


def test_the_column_is_found_by_its_header_else_by_its_texts_else_as_the_last_of_two_texts():
    amount, status = column("amount", **{str(at): 1 for at in range(99)}), column("Loan Status", Paid=9, Default=90)
    sex, coded, last = column("sex", m=50, f=49), column("1", **{str(at): 1 for at in range(99)}), column("2", a=50, b=49)

    assert outcome.find([status, amount, sex], None) is status
    assert outcome.find([coded, last], None) is last
    assert outcome.find([amount, sex], "sex") is sex
    with pytest.raises(DataError, match="--target"):
        outcome.find([amount, sex], None)
    with pytest.raises(DataError, match="no column 'x'"):
        outcome.find([amount], "x")


def test_days_past_due_within_a_window_are_found_as_the_outcome_where_nothing_is_surer():
    late, default = column("ever90dpd_12m", **{"0": 80, "1": 20}), column("default", **{"0": 80, "1": 20})
    amount = column("amount", **{str(at): 1 for at in range(100)})

    assert outcome.find([late, amount], None) is late
    assert outcome.find([late, default, amount], None) is default


def test_labels_count_the_rarer_text_as_bad_while_that_is_open():
    kind = column("kind", A=3, B=1)

    assert outcome.labels(kind, outcome.verdicts(kind, ())).tolist() == [0, 0, 0, 1]
    assert np.isnan(outcome.labels(column("s", Paid=2, Default=2, Current=1), of("s", {"Paid": 2, "Default": 2, "Current": 1}))[-1])
