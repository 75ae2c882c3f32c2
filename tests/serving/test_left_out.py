"""What live counts cannot take is left out by itself, counted and said; whatever fails, counting goes on with what comes after."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from feature_repo.contract import NO_TIME
from feature_repo.errors import DataError
from governance.ledger.entries import DECISION, Record, canonical
from governance.release import verify
from monitoring.counting import Asked
from serving import counting
from serving.counting import Counting
from serving.hourly import Hourly
from serving.scoring.bins import Bins
from tally.drifting import counted, kept

AT = NO_TIME + timedelta(days=1)


class Watched:
    """The counts of a worker of its own, and what they and the log tell."""

    def __init__(self, home, mill, release, caplog) -> None:
        self.registry, self._home, self._release, self._log = CollectorRegistry(), home, release, caplog
        self.asked = Asked(mill, release.read("bins.json", dict[str, Bins]), release.id)
        self.counting = Counting(home, mill, "w", self.registry)

    def said(self, values: dict[str, Any] | None = None, release: str = "") -> Record:
        """A decision as recorded, of a release of which nothing is known but where it is the worker's own."""
        body = {"release_id": release or self.asked.release_id, "decided_at": AT.isoformat(), "pd": 0.1, "score": 600, "band": "A",
                "outcome": "approve", "values": {column.name: None for column in self.asked.portfolio.inputs} if values is None else values}
        return Record("2026-11", 1, DECISION, "d", AT.isoformat(), None, None, canonical(body), b"salt", b"")

    def record(self, *records: Record) -> None:
        done: Future[tuple[Record, ...]] = Future()
        done.set_result(records)
        self.counting.recorded("d", done)

    @property
    def rows(self) -> int:
        self.counting.close()
        return sum(counted(path, self.asked).rows for path in kept(self._home / "counts", self.asked.release_id))

    @property
    def left_out(self) -> float | None:
        return self.registry.get_sample_value("tally_counts_left_out_total")

    @property
    def lines(self) -> list[str]:
        return [line for line in self._log.messages if line.startswith("live counts: ")]


@pytest.fixture
def watched(tmp_path, mill, mill_model, monkeypatch, caplog) -> Watched:
    release = verify(mill_model.release)
    shutil.copytree(mill_model.release, tmp_path / "releases" / release.id)
    monkeypatch.setattr(counting, "LINGER", 0.05)
    caplog.set_level(logging.ERROR)
    return Watched(tmp_path, mill, release, caplog)


def test_a_decision_that_cannot_be_counted_leaves_out_no_other(watched):
    good, number = watched.said(), next(column.name for column in watched.asked.portfolio.inputs if not column.is_level)
    unread, lacking = Record(**{**vars(good), "body": b"{}"}), watched.said({})
    text = watched.said({**{column.name: None for column in watched.asked.portfolio.inputs}, number: "many"})
    watched.record(good, unread, lacking, good, text, good)
    assert watched.rows == 3
    assert watched.left_out == 3
    assert len(watched.lines) == 3, "each kind of error once"


def test_a_release_that_does_not_verify_or_has_no_bins_is_looked_at_once_counted_and_said(watched, monkeypatch, tmp_path, mill_model):
    looks = []
    monkeypatch.setattr(counting, "verify", lambda path: looks.append(path.name) or verify(path))
    for name in ("altered", "older"):
        shutil.copytree(mill_model.release, tmp_path / "releases" / name)
    (tmp_path / "releases" / "altered" / "bins.json").write_text("{}")
    (tmp_path / "releases" / "older" / "bins.json").unlink()
    manifest = tmp_path / "releases" / "older" / "release.json"
    said = json.loads(manifest.read_bytes())
    said["files"].pop("bins.json")
    manifest.write_text(json.dumps(said))
    for _ in range(2):
        watched.counting._count([watched.said(release="altered"), watched.said(release="older"), watched.said()])
    assert sorted(looks) == sorted(["altered", "older", watched.asked.release_id])
    assert watched.left_out == 4
    assert [line.split()[3] for line in watched.lines] == ["altered", "older"]


def test_what_has_no_room_is_counted_and_said_once(watched, monkeypatch):
    monkeypatch.setattr(counting, "MOST", 1)
    watched.record(*[watched.said()] * 20)
    assert watched.rows + watched.left_out == 20
    assert 0 < watched.left_out < 20
    assert len(watched.lines) == 1


def test_nothing_left_out_is_told_as_0_from_the_start(watched):
    assert watched.left_out == 0


@pytest.mark.parametrize("error", [DataError("other bins"), OSError(), ValueError()])
def test_counts_that_cannot_be_written_are_kept_and_counting_goes_on(watched, monkeypatch, error):
    write, failed = Hourly.write, []

    def fails_once(hour: Hourly) -> None:
        if not failed:
            failed.append(error)
            raise error
        write(hour)

    monkeypatch.setattr(Hourly, "write", fails_once)
    monkeypatch.setattr(counting, "WRITE", 0.05)
    watched.record(watched.said())
    until(lambda: failed)
    watched.record(watched.said())
    assert watched.rows == 2
    assert len(watched.lines) == 1


def test_first_commits_seen_by_two_threads_at_once_are_both_counted(watched, monkeypatch):
    """Each thread looks whether counting has begun before the other has begun it."""
    start, pauses = watched.counting._thread.start, [0.3, 0.1]

    def slowly() -> None:
        time.sleep(pauses.pop())
        start()

    monkeypatch.setattr(watched.counting._thread, "start", slowly)
    both = Barrier(2)
    threads = [Thread(target=lambda: (both.wait(), watched.record(watched.said()))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert watched.rows == 2


def until(true: Callable[[], object], patience: float = 10.0) -> None:
    ends = time.monotonic() + patience
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)
