"""A window of any length is passed over in the same memory, and a copy of it lies beside it, for its owner alone, until it was read."""

from __future__ import annotations

import stat
import tempfile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feature_repo.errors import DataError
from monitoring import ordered, passes, window

POOLS = []  # kept, for what they gave may outlive a test
AT_ONCE = 2_048  # rows


def write(frame, path, order):
    """A window in pieces, in the order of time and decision or not."""
    whole = frame.sort_values([window.DECIDED_AT, window.DECISION_ID], ignore_index=True)
    given = whole if order == "in order" else whole.sample(frac=1, random_state=1)
    pq.write_table(pa.Table.from_pandas(given, preserve_index=False), path, row_group_size=AT_ONCE)


def look(watched, path):
    return passes.look(path, watched.portfolio, watched.release, 50)


@pytest.mark.parametrize("order", ["in order", "shuffled"])
def test_nothing_is_left_after_a_good_or_a_refused_file_and_nothing_is_in_the_system_s_folder(watched, tmp_path, monkeypatch, order):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    path, frame = tmp_path / "w.parquet", watched.frame.head(1_500)
    write(frame, path, order)
    assert look(watched, path).decisions == 1_500
    assert list(tmp_path.iterdir()) == [path]
    write(pd.concat([frame, frame.tail(1)]), path, order)
    with pytest.raises(DataError, match="once"):
        look(watched, path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_copy_lies_beside_the_window_for_its_owner_alone_and_goes_whatever_its_reader_does(watched, tmp_path):
    def read():
        with ordered.ordered(path, watched.release.id, (window.DECISION_ID,), already=False) as copy:
            assert copy.parent.parent == path.parent
            assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
            assert pq.read_table(copy).num_rows == 1_500
            raise DataError("the copy cannot be read")

    path = tmp_path / "w.parquet"
    write(watched.frame.head(1_500), path, "shuffled")
    with pytest.raises(DataError, match="cannot be read"):
        read()
    assert list(tmp_path.iterdir()) == [path]


def peak(watched, frame, path, order):
    """How many bytes Arrow held at most during both passes."""
    write(frame, path, order)
    before, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    POOLS.append(pool)
    pa.set_memory_pool(pool)
    try:
        look(watched, path)
    finally:
        pa.set_memory_pool(before)
    return pool.max_memory()


@pytest.mark.parametrize("order", ["in order", "shuffled"])
def test_ten_times_as_many_decisions_take_no_more_memory(watched, tmp_path, monkeypatch, order):
    monkeypatch.setattr(ordered, "GROUP", AT_ONCE)
    few = watched.frame.head(6_000)
    many = pd.concat([few.assign(decision_id=f"{place} " + few["decision_id"]) for place in range(10)])
    assert peak(watched, many, tmp_path / "many.parquet", order) < 1.5 * peak(watched, few, tmp_path / "few.parquet", order)
