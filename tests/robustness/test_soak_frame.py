"""make soak keeps each soak's results in a file of its own, prints them, and fails where a gate did."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[1] / "soak"
sys.path.insert(0, str(SOAK))
from fault_table import BEGIN, END, FAULTS, told

MODULE = "from results import judged\ndef run(tell):\n    tell('on the way')\n    return [judged({0!r}, 'w', {1}, 1, met={1} == 1)]\n"


def soak(folder, *only):
    page = folder / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    return subprocess.run([sys.executable, str(SOAK), *only, "--soaks", str(folder), "--to", str(folder / "to"), "--page", str(page)],
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


def test_a_run_writes_the_table_of_faults_and_nothing_else_of_the_page(tmp_path):
    (tmp_path / "soak_answers.py").write_text(MODULE.format("answers", 1))
    soak(tmp_path)
    page = (tmp_path / "page.md").read_text()
    assert (page.startswith(f"before\n{BEGIN}\n"), page.endswith(f"{END}\nafter\n"), "old" in page) == (True, True, False)
    assert "| F5 | workers killed | w | 1 | 1 | passed |" in page
    assert "| F9 | up to ten times the load | - | not run yet: `make soak ONLY=load` | - | - |" in page


def test_every_fault_of_one_machine_has_its_soak_and_its_short_version_and_every_other_says_why(tmp_path):
    soaks = {path.stem.removeprefix("soak_") for path in SOAK.glob("soak_*.py")}
    assert [fault.name for fault in FAULTS if fault.name] == [f"F{number}" for number in range(1, 13)]
    assert {fault.soak for fault in FAULTS if fault.soak} <= soaks
    assert all(fault.why or fault.soak for fault in FAULTS)
    assert all(told(fault, tmp_path) for fault in FAULTS)
    assert BEGIN in (SOAK.parents[1] / "docs" / "reliability.md").read_text()


def test_the_platforms_own_soaks_can_be_run():
    done = subprocess.run([sys.executable, str(SOAK), "absent"], capture_output=True, text=True, check=False)

    assert "there is answers, " in done.stderr
    assert {"features", "kill", "ledger", "load", "rows"} <= set(done.stderr.strip().split(", "))
