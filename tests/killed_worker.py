"""A worker that is killed at one chosen moment between a decision's score and its answer: three decisions, each with its key."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOMENTS = ("before the commit", "before the answer", "after the answer")
KILLED = """
import os, signal, sys
from pathlib import Path
from uuid6 import uuid7
from governance.ledger.book import open_book
from governance.ledger.entries import Entry
from governance.ledger.writer import Ledger
from serving.answers import Answers
home, moment = Path(sys.argv[1]), sys.argv[2]
ledger = Ledger(open_book(home / "ledger"))
answers = Answers(home / "answers", ledger, 300)
ids = [str(uuid7()) for _ in range(3)]
answers.done(answers.begin([str(uuid7())]))
owed = answers.begin(ids)
if moment != "before the commit":
    ledger.append([Entry("decision", one, b"{}", f"decision/0/{one}", "asked") for one in ids]).result()
if moment == "after the answer":
    answers.done(owed)
print(*ids, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(place: Path, moment: str) -> list[str]:
    """The decisions of a worker that was killed at that moment; place: a portfolio's folder."""
    worker = subprocess.run([sys.executable, "-c", KILLED, place, moment], cwd=ROOT, capture_output=True, text=True, check=False)
    assert worker.returncode == -signal.SIGKILL, worker.stderr
    return worker.stdout.split()
