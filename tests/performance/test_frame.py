"""The frame of the benches works: contestants in turns, what is kept, and no figure for a wrong answer. Holds no time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import entries
import rounds
import stages

FAKE = """
from time import perf_counter, sleep
from entries import Figures, compare
from rounds import interleaved

WORKLOADS = ("small", "large")


def run(workload):
    figures = interleaved({"ours": lambda: pause(0.001), "slow": lambda: pause(0.004)}, 3)
    return [compare("nap", workload, Figures(figures["ours"], "slow", figures["slow"], "s", goal=2), gate=RIGHT)]


def pause(seconds):
    began = perf_counter()
    sleep(seconds)
    return perf_counter() - began
"""


def bench(folder: Path, *, right: bool, only: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "bench_nap.py").write_text(f"RIGHT = {right}\n{FAKE}")
    command = [sys.executable, str(HERE), *([only] if only else []), "--benches", str(folder), "--to", str(folder / "bench.json")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def kept(folder: Path) -> list[dict]:
    return msgspec.json.decode((folder / "bench.json").read_bytes())


def test_an_entry_says_how_many_times_better_ours_is_and_by_how_much_rounds_differ(tmp_path):
    done = bench(tmp_path, right=True)

    small = kept(tmp_path)[1]
    assert done.returncode == 0, done.stderr
    assert {key: small[key] for key in ("bench", "workload", "peer", "unit", "goal", "gate")} == {
        "bench": "nap", "workload": "small", "peer": "slow", "unit": "s", "goal": 2.0, "gate": "passed"}
    assert 1 < small["spread"][0] <= small["ratio"] <= small["spread"][1]
    assert [line.split("|")[2].strip() for line in done.stdout.splitlines()] == ["workload", "-" * 10, "large", "small"]


def test_a_wrong_answer_leaves_no_figure_and_fails(tmp_path):
    bench(tmp_path, right=True)

    done = bench(tmp_path, right=False, only="nap:small")

    assert done.returncode == 1
    assert "nap, small: the answers are not right" in done.stderr
    assert [entry["workload"] for entry in kept(tmp_path)] == ["large"]


def test_what_is_not_run_keeps_its_entries(tmp_path):
    other = entries.compare("other", "some", entries.Figures([1.0], "goal", [2.0], "s"), gate=True)
    entries.write(tmp_path / "bench.json", [other])

    bench(tmp_path, right=True, only="nap:large")

    assert [(entry["bench"], entry["workload"]) for entry in kept(tmp_path)] == [("nap", "large"), ("other", "some")]
    assert entries.read(tmp_path / "bench.json")[1] == other


def test_a_bench_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    done = bench(tmp_path, right=True, only="sleep")

    assert done.returncode == 1
    assert "No bench sleep; there is ['nap']" in done.stderr


@pytest.mark.parametrize(("unit", "ratio", "spread"), [("s", 2.0, (1.0, 4.0)), ("decisions/s", 0.5, (0.25, 1.0))])
def test_less_time_is_better_and_a_higher_rate_is(unit, ratio, spread):
    figures = entries.Figures([1.0, 2.0, 4.0], "peer", [2.0, 2.0, 16.0], unit)

    found = entries.compare("bench", "workload", figures, gate=True)

    assert (found.ours, found.theirs, found.ratio, found.spread) == (2.0, 2.0, ratio, spread)


def test_contestants_take_turns_and_each_round_begins_with_another():
    order: list[str] = []
    contestants = {name: lambda name=name: order.append(name) or float(len(order)) for name in ("a", "b", "c")}

    figures = rounds.interleaved(contestants, 3)

    assert "".join(order) == "abcbcacab"
    assert figures == {"a": [1.0, 6.0, 8.0], "b": [2.0, 4.0, 9.0], "c": [3.0, 5.0, 7.0]}


def test_a_stage_is_measured_with_all_it_starts():
    hungry = "import subprocess, sys, time; block = bytearray(64 << 20); print('x', flush=True); time.sleep(0.7)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as running, stages.Watch(running) as watch:
        running.stdout.readline()
        watch.begin("hungry")
        running.wait()

    before, hungry_stage = watch.stages
    assert (before.name, hungry_stage.name) == ("dvc", "hungry")
    assert hungry_stage.peak_mib > 64
    assert 0.3 < hungry_stage.seconds < 30
