"""Every stage on odd input: a result, or one line that names what is wrong and what to do; and what stops registers nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from milling import versions, write_assembled, write_raw

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME

RESULT = None
LATE, EARLY = pd.Timestamp("2024-08-01", tz="UTC"), pd.Timestamp("2023-03-01", tz="UTC")


def keep(rows: pd.DataFrame) -> pd.DataFrame:
    return rows


def put(**columns):
    """Columns replaced: by a value, or by what a function makes of the rows."""
    return lambda rows: rows.assign(**columns)


def count(prefix, n):
    return lambda rows: [f"{prefix}{i % n}" for i in range(len(rows))]


def dates(first):
    return lambda rows: [str(first + pd.Timedelta(days=i % 90))[:10] for i in range(len(rows))]


def moments(first):
    return lambda rows: pd.Series([first + pd.Timedelta(days=i % 90) for i in range(len(rows))], index=rows.index)


RAW = {  # what is odd: how the applications and the stored table change, the stage that says so, and of what
    "applications: a header only": (lambda rows: rows.head(0), keep, "validate", "orders"),
    "stored table: a header only": (keep, lambda rows: rows.head(0), "validate", "rivers"),
    "one application": (lambda rows: rows.head(1), keep, "validate", "0 bad, 1 good"),
    "one stored row": (keep, lambda rows: rows.head(1), "validate", "rivers"),
    "all outcomes good": (put(paid="yes"), keep, "validate", "0 bad"),
    "no outcome known": (put(paid=""), keep, "validate", "0 bad"),
    "an input that may be missing always is": (put(st=""), keep, "validate", "stones"),
    "an input that may not be missing always is": (put(s=""), keep, "validate", "sacks"),
    "a stored input is always missing": (keep, put(f=""), "validate", "flow"),
    "a request input is constant": (put(s=7), keep, RESULT, ""),
    "5,000 levels where the others are one": (put(g=count("grain ", 5_000)), keep, RESULT, ""),
    "5,000 levels where two are declared": (keep, put(w=count("weir ", 5_000)), "validate", "weir"),
    "an application's key twice": (put(no=count("a", 3_999)), keep, "validate", "application_id"),
    "every application twice": (lambda rows: pd.concat([rows, rows]), keep, "validate", "application_id"),
    "every stored row twice": (keep, lambda rows: pd.concat([rows, rows]), "validate", "rivers"),
    "all applications after the cut": (put(asked=dates(LATE)), keep, "split", "development part"),
    "all applications before the cut": (put(asked=dates(EARLY)), keep, "validate", "event_timestamp"),
    "the stored table knows none of the applicants": (keep, put(miller=count("stranger ", 9_999)), "validate", "rivers"),
}
ASSEMBLED = {  # the same behind validate's back: what split, train and the stages after them say by themselves
    "no application": (lambda rows: rows.head(0), "split", "development part"),
    "one application": (lambda rows: rows.head(1), "split", "development part"),
    "all outcomes good": (put(**{BAD: 0.0}), "split", "0 bad"),
    "all outcomes bad": (put(**{BAD: 1.0}), "split", "0 good"),
    "no outcome known": (put(**{BAD: np.nan}), "split", "0 bad"),
    "an input is always missing": (put(sacks=np.nan), RESULT, ""),
    "a stored level that may not be missing always is": (put(weir=None), "evaluate", "none of"),
    "every input is always missing": (put(sacks=np.nan, stones=np.nan, grain=None, flow=np.nan, ice_days=np.nan, weir=None, gauge=np.nan,
                                          sacks_per_stone=np.nan, log_flow=np.nan), "evaluate", "none of"),
    "an input is constant": (put(gauge=4.0), RESULT, ""),
    "5,000 levels, each of them rare": (put(grain=count("grain ", 5_000)), RESULT, ""),
    "an application's key twice": (put(**{APPLICATION_ID: count("a", 3_999)}), "split", "application_id"),
    "one applicant asks for everything": (put(**{APPLICANT_ID: "p1"}), "split", "test part"),
    "all applications after the cut": (put(**{EVENT_TIME: moments(LATE)}), "split", "development part"),
    "all applications before the cut": (put(**{EVENT_TIME: moments(EARLY)}), "split", "test part"),
}


def assert_one_clear_line(found):
    assert found.code == 1
    assert found.said.count("\n") == 1, found.said
    assert not found.said.startswith("UnforeseenError"), found.said
    assert found.said.split(":")[0].endswith("Error")
    assert len(found.said) > 60, "what was wrong, where, and what to do"


def assert_ends_well(found, stage, word, before):
    if found.stage is not None:
        assert_one_clear_line(found)
        assert versions() == before
    assert found.stage == stage, found.said
    assert word in found.said


@pytest.mark.parametrize("odd", RAW)
def test_raw_files(run, mill, frame, odd):
    orders, rivers, stage, word = RAW[odd]
    write_raw(mill, frame, orders=orders, rivers=rivers)
    before = versions()

    found = run()
    assert_ends_well(found, stage, word, before)


@pytest.mark.parametrize("odd", ASSEMBLED)
def test_assembled_applications(run, mill, frame, odd):
    change, stage, word = ASSEMBLED[odd]
    write_assembled(mill, change(frame))
    before = versions()

    found = run("split")
    assert_ends_well(found, stage, word, before)
