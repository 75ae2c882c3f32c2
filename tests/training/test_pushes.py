"""What was pushed is in the next run's data, and in no run where nothing was pushed."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME
from feature_repo.errors import DataError
from feature_repo.offline import history
from feature_repo.pushed import Pushed, append
from training import pushes
from training.stages import featurize

NOON = pd.Timestamp("2024-04-10 12:00", tz="UTC")
AT = int(NOON.timestamp() * 10**6)
VALUES = {"hull_wear": 4.5, "rust": "錆", "refits": None}


@pytest.fixture
def ingested(brought_harbour, invent, monkeypatch, tmp_path):
    """A folder as ingest leaves it, where nothing was pushed."""
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "var"))
    (tmp_path / "ingest").mkdir()
    for name, table in invent(brought_harbour, ["p", "q"]).items():
        table.to_parquet(tmp_path / "ingest" / f"{name}.parquet")
    (tmp_path / "verdict.json").write_text(json.dumps({"success": True}))
    return tmp_path


def run(portfolio, folder):
    """What ingest does of pushes, and featurize; the views' bytes."""
    pushes.copy(portfolio, folder / "ingest")
    featurize.main(portfolio.name, folder / "verdict.json", folder / "ingest", folder / "featurize")
    return {path.stem: path.read_bytes() for path in (folder / "featurize" / "views").iterdir()}


def push(portfolio, *rows):
    append(pushes.journal(portfolio), "surveys", rows)


def test_training_joins_what_was_pushed_from_its_moment_on(brought_harbour, ingested):
    before = run(brought_harbour, ingested)
    push(brought_harbour, Pushed("p", AT, AT + 5, VALUES), Pushed("new", AT, AT + 5, VALUES))
    after = run(brought_harbour, ingested)
    asked = pd.DataFrame({APPLICANT_ID: ["p", "p", "q", "new"], EVENT_TIME: [NOON, NOON - pd.Timedelta(1, "us"), NOON, NOON],
                          "application_id": list("abcd")})
    found = history(brought_harbour, asked, ingested / "featurize" / "views")

    assert after["moorings"] == before["moorings"]
    assert found["rust"].tolist()[::3] == ["錆", "錆"]
    assert found["hull_wear"].eq(4.5).tolist() == [True, False, False, True]
    assert found["surveys_as_of"].tolist()[0] == NOON.timestamp()
    assert found["surveys_as_of"].tolist()[1] < NOON.timestamp()


def test_of_one_moment_the_later_created_counts_and_a_push_counts_over_what_was_delivered(brought_harbour, ingested):
    run(brought_harbour, ingested)
    delivered = pd.read_parquet(ingested / "featurize" / "views" / "surveys.parquet")
    first = delivered.iloc[0]
    moment = int(first[EVENT_TIME].timestamp() * 10**6)
    push(brought_harbour, Pushed(first[APPLICANT_ID], moment, AT + 9, {**VALUES, "refits": 9.0}),
         Pushed(first[APPLICANT_ID], moment, AT + 5, VALUES))
    run(brought_harbour, ingested)
    views = pd.read_parquet(ingested / "featurize" / "views" / "surveys.parquet")

    asked = pd.DataFrame({APPLICANT_ID: [first[APPLICANT_ID]], EVENT_TIME: [first[EVENT_TIME]], "application_id": ["a"]})
    joined = history(brought_harbour, asked, ingested / "featurize" / "views")

    assert joined[["hull_wear", "rust", "refits"]].to_numpy().tolist() == [[4.5, "錆", 9.0]]
    assert views.iloc[1][CREATED_TIME] == pd.Timestamp(AT + 9, unit="us", tz="UTC")
    pd.testing.assert_frame_equal(views.drop(index=1).reset_index(drop=True), delivered)  # what was known before stays


def test_the_same_pushes_give_the_same_bytes_in_whatever_order_they_came(brought_harbour, ingested):
    rows = [Pushed(person, AT + shift, AT + 50, {**VALUES, "refits": float(shift)}) for person in ("q", "p") for shift in (2, 1, 0)]
    push(brought_harbour, *rows)
    first = run(brought_harbour, ingested)
    pushes.journal(brought_harbour).unlink()
    for row in reversed(rows):
        push(brought_harbour, row)

    assert run(brought_harbour, ingested) == first


def test_where_nothing_was_pushed_there_is_no_file_and_a_journal_that_is_gone_takes_its_rows_along(brought_harbour, ingested):
    before = run(brought_harbour, ingested)
    assert not list((ingested / "ingest").glob("pushed-*"))
    push(brought_harbour, Pushed("p", AT, AT, VALUES))
    assert run(brought_harbour, ingested) != before
    assert [path.name for path in (ingested / "ingest").glob("pushed-*")] == ["pushed-surveys.parquet"]
    pushes.journal(brought_harbour).unlink()

    assert run(brought_harbour, ingested) == before


@pytest.mark.parametrize(("broken", "column"), [({"hull_wear": 5.1}, "hull_wear"), ({"hull_wear": None}, "hull_wear"),
                                                ({"rust": "gold"}, "rust"), ({"refits": -1.0}, "refits")])
def test_a_pushed_value_that_breaks_the_contract_stops_the_run_and_is_not_told(brought_harbour, ingested, broken, column):
    push(brought_harbour, Pushed("p", AT, AT, {**VALUES, **broken}))
    with pytest.raises(DataError, match=rf"surveys: .*{column} \(1\)") as caught:
        run(brought_harbour, ingested)

    assert not any(str(value) in str(caught.value) for value in broken.values())
