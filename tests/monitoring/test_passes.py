"""Two passes over a file give what the window in memory gives, in whatever order the file is, and refuse what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import passed
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feature_repo.errors import DataError
from monitoring import drift, passes, window
from monitoring.ordered import Order
from serving.scoring import decision
from serving.scoring.bins import Bins

FEW = 50  # decisions of a month that are sampled


@pytest.fixture(scope="module")
def bins(watched):
    return watched.release.read("bins.json", dict[str, Bins])


def look(watched, path, frame):
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=700)
    return passes.look(path, watched.portfolio, watched.release, FEW)


def in_order(frame):
    return frame.sort_values([window.DECIDED_AT, window.DECISION_ID], ignore_index=True)


@pytest.mark.parametrize("order", ["in order", "shuffled"])
def test_two_passes_give_what_a_window_in_memory_gives(watched, bins, drift_params, tmp_path, order):
    whole = in_order(watched.frame)
    given = whole if order == "in order" else whole.sample(frac=1, random_state=1)
    looked = look(watched, tmp_path / "w.parquet", given)
    assert drift.judge(looked.months, watched.portfolio, bins, drift_params) == drift.assess(whole, watched.portfolio, bins, drift_params)
    assert looked.doors == passed.doors(whole, watched.portfolio)
    assert looked.decisions == len(whole)
    scorer, expected = decision.load(watched.release, watched.portfolio), passed.samples(whole, watched.portfolio, FEW)
    assert list(looked.samples) == list(expected)
    for month, sample in looked.samples.items():
        assert sample.decisions == expected[month].decisions
        rows = [decision.encode(watched.portfolio, scorer.encoding, each.columns) for each in (sample, expected[month])]
        np.testing.assert_array_equal(*rows)


def test_the_mean_pd_is_the_same_in_any_pieces(watched, tmp_path):
    """Sums of floats would not be; it is the mean to the last digit but one."""
    doors = look(watched, tmp_path / "w.parquet", watched.frame).doors
    means = in_order(watched.frame).groupby(watched.frame[window.DECIDED_AT].dt.strftime("%Y-%m"))["pd"].mean()
    assert [door.mean_pd for door in doors] == pytest.approx(means.tolist(), rel=1e-14)
    assert look(watched, tmp_path / "s.parquet", watched.frame.sample(frac=1, random_state=3)).doors == doors


@pytest.mark.parametrize(("change", "said"), [
    (lambda frame: pd.concat([frame, frame.tail(1)]), "once"),
    (lambda frame: pd.concat([frame, frame.tail(1).assign(decided_at=frame["decided_at"].min())]), "once"),
    (lambda frame: frame.assign(decided_at=frame["decided_at"].where(frame.index > 0)), "have a time"),
    (lambda frame: frame.assign(release_id="another"), "no decision by release .* stage baseline"),
    (lambda frame: frame.assign(portfolio="other"), "other"),
], ids=["twice", "twice at another time", "no time", "another release", "another portfolio"])
def test_what_a_window_in_memory_refuses_is_refused(watched, tmp_path, change, said):
    with pytest.raises(DataError, match=said):
        look(watched, tmp_path / "w.parquet", change(in_order(watched.frame.head(1_500))))


def test_decisions_of_another_release_are_in_no_pass(watched, tmp_path):
    mixed = watched.frame.assign(release_id=np.where(watched.frame.index % 3 == 0, "another", watched.release.id))
    ours, looked = in_order(mixed[mixed.index % 3 != 0]), look(watched, tmp_path / "w.parquet", mixed.sample(frac=1, random_state=1))
    assert looked.doors == passed.doors(ours, watched.portfolio)
    assert [sample.decisions for sample in looked.samples.values()] == [door.decisions for door in looked.doors]


def test_order_is_by_time_and_then_by_decision_across_pieces():
    def holds(*pieces):
        order = Order()
        for rows in pieces:
            times = pa.array([at for at, _ in rows], pa.timestamp("us", tz="UTC"))
            order.look("2024-01", pa.record_batch({window.DECIDED_AT: times, window.DECISION_ID: [name for _, name in rows]}))
        return order.holds
    assert holds([(1, "a"), (1, "b"), (2, "a")], [(2, "b")])
    assert not holds([(1, "b"), (1, "a")])
    assert not holds([(2, "a"), (1, "b")])
    assert not holds([(1, "a"), (2, "b")], [(2, "a")])
