"""10,000 requests spoiled at random, over one connection to a service: no bad one scored, no good one refused, no 5xx.

TALLY_SOAK_FUZZ is the number of requests, 10,000 where it is not set.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from conftest import scorecard_release
from fuzzing import Fuzz
from fuzzing import run as sent
from ledgers import decisions
from results import Result, judged
from served import furnished, serve

from feature_repo.contract import NO_TIME
from serving.settings import Settings

SEED, REQUESTS, LATE = 9, 10_000, 20.0


def run(tell: Callable[[str], None]) -> list[Result]:
    requests, name = int(os.environ.get("TALLY_SOAK_FUZZ", REQUESTS)), "consumer_loans"
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        home = furnished(Path(folder), name, scorecard_release)
        with serve(home, name, TALLY_BUSINESS_TIME=(NO_TIME + timedelta(days=1)).isoformat()) as service:
            found = sent(service.url, Fuzz(service.portfolio, SEED, Settings(portfolio=name)), requests)
            recorded = len(decisions(service.folder))
    for each in found.wrong[:20]:
        tell(each)
    tell(", ".join(f"{status}: {count:,}" for status, count in sorted(found.statuses.items())))
    workload = f"{requests:,} spoiled requests"
    return [
        judged("fuzz", workload, f"{len(found.wrong)} answered otherwise than they may be", 0, met=not found.wrong),
        judged("fuzz", workload, f"{recorded:,} recorded of {found.scored:,} scored", "all, and no more", met=recorded == found.scored),
        judged("fuzz", workload, f"a refusal takes {found.p99:.1f} ms at the 99th percentile", f"{LATE:g} ms", met=found.p99 <= LATE),
    ]
