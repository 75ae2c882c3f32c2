"""Guarantees of what workers say of themselves: every living one is shown, a dead one is not, however it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from serving.workers import Serves, Workers

ROOT = Path(__file__).parents[2]
OTHER = """
import sys, time
from pathlib import Path
from serving.workers import Workers
other = Workers(Path(sys.argv[1]), "other")
other.say("B", "2", "then")
print("said", flush=True)
time.sleep(600)
"""
MINE, THEIRS = Serves("mine", "A", "1", "now"), Serves("other", "B", "2", "then")


def test_a_worker_alone_shows_what_it_serves_last(tmp_path):
    workers = Workers(tmp_path, "mine")
    assert workers.all() == []
    workers.say("Z", "0", "before")
    workers.say("A", "1", "now")
    assert workers.all() == [MINE]


def test_another_process_is_shown_while_it_lives_and_not_after_it_was_killed(tmp_path):
    workers = Workers(tmp_path, "mine")
    workers.say("A", "1", "now")
    with subprocess.Popen([sys.executable, "-c", OTHER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "said\n"
        assert workers.all() == [MINE, THEIRS]
        os.kill(other.pid, signal.SIGKILL)
        other.wait(30)
    assert workers.all() == [MINE]
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == ["mine.json", "mine.lock"]


def test_a_worker_that_closed_is_gone(tmp_path):
    workers, seen = Workers(tmp_path, "mine"), Workers(tmp_path, "seen")
    workers.say("A", "1", "now")
    workers.close()
    assert seen.all() == []


def test_a_folder_that_cannot_be_written_does_not_stop_a_worker(tmp_path):
    (tmp_path / "file").write_text("")
    workers = Workers(tmp_path / "file" / "below", "mine")
    workers.say("A", "1", "now")
    assert workers.all() == [MINE]
