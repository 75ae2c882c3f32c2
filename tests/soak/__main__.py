"""make soak: long runs against faults, each in a copy of the project that is gone afterwards. `make soak ONLY=<name>` runs one.

A soak is a module soak_<name>.py in this folder with `run(tell) -> list[Result]`; `tell` says on the way what happened. Its results are
written to reports/soak/<name>.json and printed as a table, and with those of earlier soaks they make the table of docs/reliability.md;
where a gate failed, the exit code is 1. pytest collects nothing here.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PREFIX = "soak_"
KEPT, PAGE = ROOT / "reports" / "soak", ROOT / "docs" / "reliability.md"
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "robustness"), str(ROOT)]

from fault_table import write_into
from results import Result, table, write


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("only", nargs="?", help="the name of one soak")
    parser.add_argument("--soaks", type=Path, default=HERE, help="the folder of soak_*.py")
    parser.add_argument("--to", type=Path, default=KEPT)
    parser.add_argument("--page", type=Path, help="the page whose table is written; docs/reliability.md, of results that are kept")
    asked = parser.parse_args(arguments)
    sys.path.insert(0, str(asked.soaks))
    found: list[Result] = []
    for name, module in chosen(asked.soaks, asked.only).items():
        gc.freeze()  # or collections of all that is imported here are measured as waits for an answer
        results = module.run(tell)
        write(asked.to / f"{name}.json", results)
        found += results
    page = asked.page or (PAGE if asked.to == KEPT else None)
    if page:
        write_into(page, asked.to)
    sys.stdout.write(table(found))
    return 1 if any(result.gate == "failed" for result in found) else 0


def chosen(folder: Path, only: str | None) -> dict[str, ModuleType]:
    """The soaks asked for, by name. Exits where there is none of that name."""
    names = sorted(path.stem.removeprefix(PREFIX) for path in folder.glob(f"{PREFIX}*.py"))
    if only and only not in names:
        sys.exit(f"No soak {only}; there is {', '.join(names)}")
    return {name: importlib.import_module(PREFIX + name) for name in names if only in (None, "", name)}


def tell(line: str) -> None:
    sys.stderr.write(f"  {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
