"""make soak keeps each soak's results in a file of its own, prints them, and fails where a gate did."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[1] / "soak"
MODULE = "from results import judged\ndef run(tell):\n    tell('on the way')\n    return [judged({0!r}, 'w', {1}, 1, met={1} == 1)]\n"


def soak(folder, *only):
    return subprocess.run([sys.executable, str(SOAK), *only, "--soaks", str(folder), "--to", str(folder / "to")],
                          capture_output=True, text=True, check=False)


def test_a_gate_that_failed_is_the_exit_code_and_one_name_runs_alone(tmp_path):
    (tmp_path / "soak_sound.py").write_text(MODULE.format("sound", 1))
    (tmp_path / "soak_weak.py").write_text(MODULE.format("weak", 0))

    every, one, none = soak(tmp_path), soak(tmp_path, "sound"), soak(tmp_path, "absent")

    assert (every.returncode, one.returncode, none.returncode) == (1, 0, 1)
    assert ["weak", "w", "0", "1", "failed"] in [line.split() for line in every.stdout.splitlines()]
    assert "weak" not in one.stdout
    assert "there is sound, weak" in none.stderr
    assert json.loads((tmp_path / "to" / "sound.json").read_text()) == [
        {"soak": "sound", "workload": "w", "figure": 1, "goal": 1, "gate": "passed"}]


def test_the_platforms_own_soaks_can_be_run():
    done = subprocess.run([sys.executable, str(SOAK), "absent"], capture_output=True, text=True, check=False)

    assert "there is answers, features, kill, rows" in done.stderr
