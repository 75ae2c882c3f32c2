"""What the machine lacks ends a stage with one line that says where, what is safe and what to do. The faults are the kernel's own.

Each works for root and for anybody else, in a plain container: a symbolic link to /dev/full, limits of the process, a path below a file,
and /sys, where nobody may make a file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from borrowers import borrowers, write_inputs, write_params

from feature_repo.errors import INTERRUPTED, SAFE

ROOT = Path(__file__).parents[2]
STAGE = """
import resource, signal, sys
sys.path[:0] = [{root!r}, {tests!r}]
from feature_repo.errors import run_stage
from training.stages import split
import pyarrow.parquet
from borrowers import brought
{limit}
with brought():
    run_stage(split.main)
"""
SMALL_FILES = "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))"
FEW_HANDLES = "import os; held = [os.dup(0) for _ in range(20)]; resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))"
LITTLE_MEMORY = """
split.cut = lambda *ignored: bytearray(1 << 62)
"""
A_BUG = """
def cut(*ignored): return {}["Jane-Canary-1971"]
split.cut = cut
"""
SLOW = """
import time
def cut(*ignored):
    print("cutting", flush=True)
    time.sleep(60)
split.cut = cut
"""


@pytest.fixture
def home(tmp_path, mill):
    """A folder in which stage split of the mill can run."""
    from types import SimpleNamespace

    at = SimpleNamespace(**{name: tmp_path / name for name in ("assemble", "validate", "vault")})
    write_inputs(at, mill, borrowers(mill, 2_000))
    write_params(tmp_path / "params.yaml", {})
    return tmp_path


def command(limit: str = "") -> list[str]:
    return [sys.executable, "-c", STAGE.format(root=str(ROOT), tests=str(ROOT / "tests"), limit=limit), "mill", "assemble"]


def split(home: Path, limit: str = "", *, into: str = "split", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command(limit), into], cwd=home, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def said(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> str:
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in (*words, SAFE)), done.stderr
    return done.stderr


def test_a_full_disk(home):
    (home / "split").mkdir()
    (home / "split" / "parts.parquet").symlink_to("/dev/full")

    said(split(home), "MachineError: stage split: split", "the disk is full", "MB are free", "dvc repro")


def test_a_limit_on_the_size_of_files(home):
    said(split(home, SMALL_FILES), "MachineError: stage split: split", "ulimit -f", "dvc repro")


def test_a_folder_nobody_may_write_in(home):
    said(split(home, into="/sys/split"), "MachineError: stage split: /sys/split", "dvc repro")


def test_a_file_where_a_folder_is_needed(home):
    (home / "split").write_text("")

    said(split(home), "MachineError: stage split: split", "a file is where a folder is needed", "dvc repro")


def test_a_path_below_a_file(home):
    (home / "split").write_text("")

    said(split(home, into="split/deeper"), "MachineError: stage split: split/deeper", "a file is where a folder is needed")


def test_too_many_open_files(home):
    said(split(home, FEW_HANDLES), "MachineError: stage split: ", "too many files are open", "ulimit -n")


def test_too_little_memory(home):
    said(split(home, LITTLE_MEMORY), "MachineError: stage split: memory does not suffice", "params.yaml", "dvc repro")


def test_an_input_that_is_not_there_is_named(home):
    (home / "assemble" / "applications.parquet").unlink()
    done = split(home)

    assert (done.returncode, done.stderr) == (1, "DataError: assemble/applications.parquet is not there; run: dvc repro\n")


def test_a_wrong_number_of_arguments_says_which_there_are(home):
    done = subprocess.run(command(), cwd=home, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "PORTFOLIO ASSEMBLE SPLIT" in done.stderr


def test_a_bug_says_where_in_one_line_and_keeps_its_traceback_in_a_file_of_its_owner(home):
    line = said(split(home, A_BUG), "UnforeseenError: stage split: KeyError at training/stages/split.py:", "in main",
                "var/failed/split.txt")

    kept = home / "var" / "failed" / "split.txt"
    assert "Jane-Canary-1971" not in line, "what an error quotes may be a person's"
    assert "KeyError: 'Jane-Canary-1971'" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_bug_whose_traceback_cannot_be_kept_still_says_where(home):
    (home / "var").write_text("a file in the way")

    said(split(home, A_BUG), "KeyError at training/stages/split.py:", "TALLY_DEBUG=1")


def test_debugging_shows_the_traceback(home):
    done = split(home, A_BUG, TALLY_DEBUG="1")

    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_an_interrupt_is_one_line_and_leaves_no_output(home):
    running = subprocess.Popen([*command(SLOW), "split"], cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "cutting\n"
    time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=20)

    assert running.returncode == INTERRUPTED
    assert err == f"interrupted: split did not finish. {SAFE}; run: dvc repro\n"
    assert not (home / "split").exists()


@pytest.mark.parametrize("package", ["training.stages", "monitoring.stages"])
def test_an_interrupt_while_a_stage_imports_its_libraries_is_one_line_too(package):
    program = f"import {package}\nraise KeyboardInterrupt"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == -signal.SIGINT
    assert done.stderr.startswith("interrupted: ")
    assert done.stderr.count("\n") == 1
    assert SAFE in done.stderr
