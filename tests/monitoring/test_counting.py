"""A window counted from files of any cut is the window counted at once; what is no window of this portfolio and release is not counted."""

from __future__ import annotations

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feature_repo.errors import DataError
from monitoring import counting, window
from serving.scoring.bins import Bins
from serving.scoring.counter import count
from serving.scoring.counts import merged


@pytest.fixture(scope="module")
def asked(watched):
    bins = watched.release.read("bins.json", dict[str, Bins])
    return counting.Asked(watched.portfolio, bins, watched.release.id, tuple(column.name for column in watched.portfolio.protected))


def write(path, frame, *, group=1_000):
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=group)
    return path


def by_month(watched, asked):
    months = watched.frame[window.DECIDED_AT].dt.strftime("%Y-%m")
    return {month: count(part, asked.bins, watched.portfolio) for month, part in watched.frame.groupby(months)}


def test_a_streamed_window_has_the_counts_of_the_frame_by_month(watched, asked, tmp_path):
    found = counting.stream([write(tmp_path / "w.parquet", watched.frame)], asked)
    assert found.months == by_month(watched, asked)


def test_files_counted_apart_on_any_cut_of_the_rows_add_up_to_one_pass(watched, asked, tmp_path):
    shuffled = watched.frame.sample(frac=1, random_state=2)
    files = [write(tmp_path / f"{start}.parquet", shuffled.iloc[start::3], group=700) for start in range(3)]
    whole = counting.stream([write(tmp_path / "w.parquet", watched.frame)], asked)
    apart = [counting.stream([file], asked) for file in files]
    assert counting.stream(files, asked) == whole
    assert counting.add(counting.add(apart[2], apart[0]), apart[1]) == whole
    assert msgspec.json.decode(msgspec.json.encode(whole), type=counting.Counted) == whole
    assert merged(whole.months.values()).rows == len(watched.frame)


def test_groups_are_counted_by_outcome_in_the_same_pass(watched, asked, tmp_path):
    frame, protected = watched.frame.copy(), asked.groups[0]
    frame.loc[::50, protected] = None
    found = counting.stream([write(tmp_path / "w.parquet", frame)], asked)
    months = frame[window.DECIDED_AT].dt.strftime("%Y-%m")
    expected = frame.assign(month=months, group=frame[protected].fillna(counting.NOT_STATED)).groupby(["month", "group", "outcome"]).size()
    assert {(at.month, at.group, at.outcome): decisions for at, decisions in ((each.at, each.decisions) for each in found.groups)
            if at.column == protected} == expected.to_dict()


def test_decisions_of_another_release_are_not_counted(watched, asked, tmp_path):
    frame = watched.frame.copy()
    frame.loc[::3, window.RELEASE_ID] = "another"
    found = counting.stream([write(tmp_path / "w.parquet", frame)], asked)
    assert merged(found.months.values()) == count(frame[frame[window.RELEASE_ID] == watched.release.id], asked.bins, watched.portfolio)


@pytest.mark.parametrize(("change", "said"), [
    (lambda frame: frame.assign(**{window.PORTFOLIO: "other"}), "decisions of \\['other'\\]"),
    (lambda frame: frame.drop(columns=["score"]), "no column \\['score'\\]"),
    (lambda frame: frame.assign(**{window.DECIDED_AT: frame[window.DECIDED_AT].where(frame.index > 3)}), "have a time"),
])
def test_a_file_that_is_no_window_is_refused(watched, asked, tmp_path, change, said):
    with pytest.raises(DataError, match=said):
        counting.stream([write(tmp_path / "w.parquet", change(watched.frame.head(50)))], asked)


def test_a_file_that_is_cut_off_is_refused(asked, tmp_path):
    (tmp_path / "w.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="no Parquet file"):
        counting.stream([tmp_path / "w.parquet"], asked)


def test_integers_and_plain_texts_are_read_as_numbers_and_levels():
    assert counting.plain(pa.array([1, None])).tolist() == pytest.approx([1.0, float("nan")], nan_ok=True)
    levels = counting.plain(pa.array(pd.Series(["a", None, "a"])))
    assert (levels.codes.tolist(), levels.names) == ([0, -1, 0], ("a",))
