"""Run by bench_drift: counts a window file some times over, in a process of its own, and prints its peak memory in bytes."""

from __future__ import annotations

import sys
from itertools import repeat
from pathlib import Path

import msgspec

from feature_repo.portfolios import load
from monitoring import counting
from serving.scoring.bins import Bins
from serving.scoring.counts import merged

KIB = 1024


def main(window: Path, bins: Path, portfolio: str, times: int) -> None:
    asked = counting.Asked(load(portfolio), msgspec.json.decode(bins.read_bytes(), type=dict[str, Bins]))
    found = counting.stream(repeat(window, times), asked)
    print(merged(found.months.values()).rows, peak())


def peak() -> int:
    """Of this program alone: what getrusage tells begins with the memory of whoever started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * KIB


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
