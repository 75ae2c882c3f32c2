"""A file of counts is taken up where it was left, and never overwritten unread: it is waited for, or set aside where it is damaged."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from feature_repo.contract import NO_TIME
from governance.release import verify
from monitoring.counting import Asked
from serving.hourly import KEPT, Hourly, Kept, Said
from serving.scoring.bins import Bins
from serving.scoring.counts import ColumnCounts, Counts
from tally.drifting import counted, kept

AT = NO_TIME + timedelta(days=1)


@pytest.fixture
def asked(mill, mill_model):
    release = verify(mill_model.release)
    return Asked(mill, release.read("bins.json", dict[str, Bins]), release.id)


@pytest.fixture
def hour(tmp_path, asked):
    """Takes up an hour, with so many more decisions."""
    def take_up(times: int, at=AT) -> Hourly:
        values = {column.name: None for column in asked.portfolio.inputs}
        taken = Hourly(path(tmp_path, asked, at), asked.bins, asked.portfolio)
        taken.add([Said(asked.release_id, at.isoformat(), 0.1, 600.0, "A", "approve", values)] * times)
        return taken

    return take_up


def path(folder: Path, asked, at=AT) -> Path:
    return folder / f"{at:%Y-%m-%dT%H}" / f"{asked.release_id}.w.json"


def test_an_hour_that_is_taken_up_again_goes_on_and_old_hours_are_removed(tmp_path, hour, asked):
    over = AT - KEPT - timedelta(hours=1)
    hour(1, over).write()
    for times in (1, 2):
        hour(times).write()
    assert counted(path(tmp_path, asked), asked).rows == 3
    assert not path(tmp_path, asked, over).exists()


def test_an_hour_that_cannot_be_read_at_the_moment_is_not_overwritten_and_nothing_is_lost(tmp_path, hour, asked, monkeypatch):
    hour(1).write()
    with monkeypatch.context() as now:
        now.setattr(Path, "read_bytes", unreadable)
        again = hour(2)
        with pytest.raises(PermissionError):
            again.write()
    assert counted(path(tmp_path, asked), asked).rows == 1
    assert not again.written
    again.write()
    assert counted(path(tmp_path, asked), asked).rows == 3


def unreadable(_: Path) -> bytes:
    raise PermissionError


@pytest.mark.parametrize("damaged", [
    b"", b'{"release_id": "r", "mon', b'"\xff"', msgspec.json.encode(Kept("r", {})),
    msgspec.json.encode(Kept("r", {f"{AT:%Y-%m}": Counts({"x": ColumnCounts((1, 2))}), "all": Counts({"x": ColumnCounts((1, 2))})})),
], ids=["empty", "cut off", "no text", "another month", "other bins"])
def test_a_damaged_file_is_set_aside_with_a_line_and_the_hour_goes_on(tmp_path, hour, asked, damaged, caplog):
    hour(1).write()
    path(tmp_path, asked).write_bytes(damaged)
    again = hour(2)
    with caplog.at_level(logging.ERROR):
        again.write()
        again.write()
    assert [counted(file, asked).rows for file in kept(tmp_path, asked.release_id)] == [2]
    assert path(tmp_path, asked).with_suffix(".damaged").read_bytes() == damaged
    (line,) = caplog.messages
    assert line.startswith("live counts: ")
    assert path(tmp_path, asked).name in line
