"""After `tally repair` the DVC that was blocked runs, in a real checkout; what is alive or not stale is left, and twice is once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from uuid6 import uuid7

from feature_repo.errors import ServiceError
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, Entry
from governance.ledger.writer import Ledger
from monitoring.ordered import DRAFT
from serving.owed import Places
from tally import repair
from tally.windows import alone

PIPELINE = "stages:\n  a:\n    cmd: sleep ${s}; echo 1 > a.txt\n    outs: [a.txt]\n"
CONFIG = Path(__file__).parents[2] / ".dvc" / "config"  # without the processes DVC leaves behind to look for its updates
RWLOCK = Path(".dvc", "tmp", "rwlock")
NOTHING = "nothing to repair"
PROGRAMS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
TORN = ['schema: "2.0"\nstages:\n  a:\n    cmd: [', "schema: '2.0'\nstages:\n  a:\n", ""]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A checkout with one stage that has run, committed."""
    root = tmp_path_factory.mktemp("checkout")
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "params.yaml").write_text("s: 0\n")
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["cp", str(CONFIG), ".dvc/config"], ["dvc", "repro", "-q"],
                    ["git", "add", "-A"],
                    ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-qm", "Start"]):
        assert run(root, *command).returncode == 0
    return root


@pytest.fixture
def root(built, monkeypatch):
    """The checkout as committed, with no lock in it."""
    assert run(built, "git", "checkout", "-q", ".").returncode == 0
    (built / RWLOCK).unlink(missing_ok=True)
    monkeypatch.chdir(built)
    return built


def run(root, *command):
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env={**os.environ, "PATH": PROGRAMS})


def repro(root):
    return run(root, "dvc", "repro", "-f")


@pytest.mark.parametrize("torn", ["", '{"write": {"x": 3}}', '{"read": {'])
def test_a_torn_rwlock_blocks_dvc_until_repaired(root, torn):
    (root / RWLOCK).write_text(torn)
    assert "RWLock-file" in repro(root).stderr

    found = repair.repair(root)

    assert found.done == [".dvc/tmp/rwlock was cut off by a killed run: removed"]
    assert repro(root).returncode == 0
    assert NOTHING in str(repair.repair(root))


def test_a_rwlock_that_names_a_process_id_which_another_program_has_now(root):
    (root / RWLOCK).write_text(json.dumps({"write": {str(root / "a.txt"): {"pid": os.getppid(), "cmd": "dvc repro"}}}))
    assert "is busy" in repro(root).stderr

    assert repair.repair(root).done == [".dvc/tmp/rwlock named processes that no longer run DVC here: removed"]
    assert repro(root).returncode == 0


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_lock_file_is_kept_aside_and_the_committed_one_put_back(root, torn):
    committed = (root / "dvc.lock").read_bytes()
    (root / "dvc.lock").write_text(torn)
    assert run(root, "dvc", "repro").returncode != 0

    (line,) = repair.repair(root).done

    aside = root / line.split("kept as ")[1].split(";")[0]
    assert aside.read_text() == torn
    assert (root / "dvc.lock").read_bytes() == committed
    assert run(root, "dvc", "repro").returncode == 0
    aside.unlink()


def test_a_lock_file_in_a_merge_is_somebodys_work_and_is_left(root):
    text = f"<<<<<<< HEAD\n{(root / 'dvc.lock').read_text()}=======\n>>>>>>> other\n"
    (root / "dvc.lock").write_text(text)

    found = repair.repair(root)

    assert found.done == []
    assert "merge" in found.left[0]
    assert (root / "dvc.lock").read_text() == text


@pytest.fixture
def slow(root):
    """A live `dvc repro` of this checkout, its stage begun; killed with its group by the test or at its end."""
    (root / "params.yaml").write_text("s: 60\n")
    process = begin(root, "dvc", "repro")
    assert any(line.startswith("> sleep") for line in process.stdout)
    yield process
    if process.poll() is None:
        kill(process)


def begin(root, *command):
    """A command in a process group of its own."""
    return subprocess.Popen(command, cwd=root, start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            env={**os.environ, "PATH": PROGRAMS, "PYTHONUNBUFFERED": "1"})


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def test_beside_a_live_run_nothing_is_touched_and_its_process_is_named(root, slow):
    before = (root / RWLOCK).read_bytes()

    with pytest.raises(ServiceError, match=f"PID {slow.pid}: .*dvc repro"):
        repair.repair(root)

    assert repair.before_a_run(root) == []
    assert (root / RWLOCK).read_bytes() == before
    kill(slow)
    assert len(repair.repair(root).done) == 1


def test_a_live_run_of_another_checkout_does_not_count(root, slow, tmp_path):
    assert NOTHING in str(repair.repair(tmp_path))


def test_an_experiment_that_was_killed_is_no_longer_shown_as_running(root):
    process = begin(root, "dvc", "exp", "run", "--temp", "-S", "s=60")
    for _ in range(300):
        if [*root.glob(".dvc/tmp/exps/standalone/tmp*/dvc.yaml")] and "sleep" in str(commands(process)):
            break
        time.sleep(0.1)
    kill(process)
    assert "Running" in run(root, "dvc", "exp", "show", "--no-pager").stdout

    done = repair.repair(root).done

    assert any("experiment" in line and "cut off" in line for line in done)
    assert "Running" not in run(root, "dvc", "exp", "show", "--no-pager").stdout
    assert [*root.glob(".dvc/tmp/exps/standalone/tmp*")] == []
    assert NOTHING in str(repair.repair(root))


def commands(process):
    return [child.cmdline() for child in psutil.Process(process.pid).children(recursive=True)]


def test_a_download_that_was_cut_off_is_removed_and_nothing_else_of_the_raw_data(root):
    raw = root / "data" / "raw" / "loans"
    raw.mkdir(parents=True)
    dead = next(pid for pid in range(2_000_000, 4_000_000) if not psutil.pid_exists(pid))
    for name in (f".loans.csv.{dead}", f".loans.csv.{os.getpid()}", "loans.csv", ".keep"):
        (raw / name).write_text("")

    done = repair.repair(root).done

    assert done == [f"data/raw/loans/.loans.csv.{dead} is part of a download that was cut off: removed"]
    assert len([*raw.iterdir()]) == 3


def test_copies_of_windows_that_a_killed_run_left_are_removed_once_no_run_is_at_work_on_them(root):
    pipeline, monitor = root / f"data/loans/baseline/{DRAFT}ab", root / "var/loans/windows/.draft-cd"
    for folder in (pipeline, monitor):
        folder.mkdir(parents=True)
        (folder / "window.parquet").write_text("")
    said = "is a copy of decisions by a run that was cut off: removed"
    with alone(monitor.parent):
        assert repair.repair(root).done == [f"data/loans/baseline/{DRAFT}ab {said}"]
    assert repair.repair(root).done == [f"var/loans/windows/.draft-cd {said}"]
    assert not pipeline.exists()
    assert not monitor.exists()


def test_the_command_says_what_it_did_and_that_there_is_nothing_more_to_do(root):
    (root / RWLOCK).write_text("")

    first, second = (run(root, sys.executable, "-m", "tally", "repair") for _ in range(2))

    assert (first.returncode, second.returncode) == (0, 0)
    assert "removed" in first.stdout
    assert NOTHING in second.stdout


def test_whatever_of_ours_runs_the_pipeline_repairs_first(root):
    (root / RWLOCK).write_text("")
    (root / "a.txt").unlink(missing_ok=True)

    done = run(root, sys.executable, "-c", "from tally import operations; operations.pipeline()")

    assert done.returncode == 0, done.stderr
    assert "rwlock was cut off by a killed run: removed" in done.stderr
    assert (root / "a.txt").is_file()


def test_what_killed_workers_did_not_show_to_have_answered_is_marked_once(root):
    home = root / "var" / "card_default"
    home.mkdir(parents=True)
    ledger = Ledger(open_book(home / "ledger"))
    worker, ids = Places(home / "answers" / "1-a.owed", 4), [str(uuid7()) for _ in range(2)]
    worker.take(ids)
    ledger.append([Entry(DECISION, one, b"{}") for one in ids]).result()
    assert str(repair.repair(root)).startswith(NOTHING)  # it lives
    worker.close(keep=True)
    assert str(repair.repair(root)).startswith("2 decisions of card_default")
    assert str(repair.repair(root)).startswith(NOTHING)
    ledger.close()
