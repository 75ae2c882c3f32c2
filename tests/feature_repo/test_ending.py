"""How a stage ends."""

from __future__ import annotations

import subprocess
import sys

ENDING = """
import atexit, ctypes
from feature_repo.errors import run_stage

def main(portfolio):
    libc = ctypes.CDLL(None)
    libc.__cxa_atexit(libc.abort, None, None)
    atexit.register(print, "tidied up")
    print(portfolio, "done")

run_stage(main)
"""


def test_a_stage_that_is_done_is_not_failed_by_a_library_that_aborts_while_it_is_taken_down():
    ended = subprocess.run([sys.executable, "-c", ENDING, "mill"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.split()) == (0, ["mill", "done", "tidied", "up"]), ended.stderr
