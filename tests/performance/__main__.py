"""make bench: runs the benches and keeps their entries in reports/bench.json. `make bench ONLY=<bench>[:<workload>]` runs one.

A bench is a module bench_<name>.py in this folder with WORKLOADS, the names of its workloads, and `run(workload) -> list[Entry]`. It
checks first that the answers are right (the gate): where they are not, the file loses what it said of that workload, and the exit code
is 1. What is not run keeps its entries. A workload is named by as many of its first characters as tell it apart.

pytest collects the tests of the frame and of what benches reckon with, never a bench: no test fails on a clock. A peer that is no
dependency of the product never enters requirements.lock: it is named in peers.in and pinned in peers.lock beside this file, installed into
.venv-bench by the first bench that needs it, and run as a program of that environment (peers.py).
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PREFIX = "bench_"
sys.path[:0] = [str(HERE), str(HERE.parent), str(ROOT)]

import entries


def main(arguments: list[str]) -> int:
    asked = _asked(arguments)
    sys.path.insert(0, str(asked.benches))
    chosen = choose(asked.benches, asked.only)
    failed = []
    for bench, module, workload in chosen:
        print(f"{bench}: {workload} ...", file=sys.stderr, flush=True)
        fresh = module.run(workload)
        failed += [entry for entry in fresh if entry.gate == "failed"]
        entries.write(asked.to, entries.merge(entries.read(asked.to), bench, workload, fresh))
    print(entries.table([*entries.read(asked.to), *failed]))
    for entry in failed:
        print(f"{entry.bench}, {entry.workload}: the answers are not right, so its figures are not kept", file=sys.stderr)
    return 1 if failed else 0


def choose(folder: Path, only: str | None) -> list[tuple[str, ModuleType, str]]:
    """(bench, module, workload) of what is asked for. Exits where there is no such bench or workload."""
    names = sorted(path.stem.removeprefix(PREFIX) for path in folder.glob(f"{PREFIX}*.py"))
    bench, _, start = (only or "").partition(":")
    modules = {name: importlib.import_module(PREFIX + name) for name in names if bench in {"", name}}
    found = [(name, module, workload) for name, module in modules.items() for workload in module.WORKLOADS if workload.startswith(start)]
    if not found:
        there = {name: list(module.WORKLOADS) for name, module in modules.items()}
        sys.exit(f"No bench {only}; there is {there or names}")
    return found


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("only", nargs="?", help="<bench> or <bench>:<workload>")
    parser.add_argument("--benches", type=Path, default=HERE, help="the folder of bench_*.py")
    parser.add_argument("--to", type=Path, default=ROOT / "reports" / "bench.json")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
