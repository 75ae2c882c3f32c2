"""The file of what is owed: it survives its process, belongs to nobody else while that lives, and never holds more than it has room for."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from uuid6 import uuid7

from serving import owed
from serving.owed import Places, abandoned, read

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from serving.owed import Places
places = Places(Path(sys.argv[1]) / "killed.owed", 4)
first, second, third = (places.take([each]) for each in sys.argv[2:])
places.free(second)
os.kill(os.getpid(), signal.SIGKILL)
"""


def left(folder: Path) -> dict[str, owed.Left]:
    with ExitStack() as held:
        return {Path(file.name).stem: read(file) for file in abandoned(folder, held)}


def test_what_was_noted_and_not_struck_out_survives_a_kill(tmp_path):
    ids = [str(uuid7()) for _ in range(3)]
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path, *ids], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    found = left(tmp_path)["killed"]
    assert (set(found.ids), found.since) == ({ids[0], ids[2]}, None)


def test_a_file_is_nobody_elses_while_its_worker_lives_and_gone_when_it_closed(tmp_path):
    places = Places(tmp_path / "alive.owed", 4)
    places.take([str(uuid7())])
    assert left(tmp_path) == {}
    places.close(keep=True)
    assert len(left(tmp_path)["alive"].ids) == 1
    Places(tmp_path / "other.owed", 4).close(keep=False)
    assert left(tmp_path).keys() == {"alive"}


def test_an_abandoned_file_has_one_reader_at_a_time(tmp_path):
    Places(tmp_path / "dead.owed", 4).close(keep=True)
    with ExitStack() as held:
        assert len(abandoned(tmp_path, held)) == 1
        assert left(tmp_path) == {}
    assert left(tmp_path).keys() == {"dead"}


def test_no_more_is_noted_than_there_is_room_for_and_all_room_comes_back(tmp_path):
    places, ids = Places(tmp_path / "full.owed", 4), [str(uuid7()) for _ in range(5)]
    with pytest.raises(IndexError):
        places.take(ids)
    for _ in range(3):
        taken = places.take(ids[:4])
        assert set(places.ids()) == set(ids[:4])
        places.free(taken)
    assert places.ids() == ()
    places.close(keep=False)


@pytest.mark.parametrize("boot", ["of another start of the machine", None])
def test_of_another_boot_or_where_no_boot_is_known_a_file_says_since_when_it_may_be_out_of_date(tmp_path, monkeypatch, boot):
    if boot is None:
        monkeypatch.setattr(owed, "BOOT", tmp_path / "no such file")
    Places(tmp_path / "old.owed", 4).close(keep=True)
    if boot:
        (tmp_path / "boot").write_text(boot)
        monkeypatch.setattr(owed, "BOOT", tmp_path / "boot")
    since = left(tmp_path)["old"].since
    assert since is not None
    assert abs(since.timestamp() - (tmp_path / "old.owed").stat().st_mtime) < 5


def test_a_file_cut_off_before_its_head_was_written_held_nothing(tmp_path):
    (tmp_path / "torn.owed").write_bytes(b"")
    assert left(tmp_path)["torn"] == owed.Left((), None)
