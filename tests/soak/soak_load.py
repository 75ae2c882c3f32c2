"""A service of two workers asked for half, once, twice, five and ten times what it can do, with probes beside it.

TALLY_SOAK_SECONDS is how long all steps take together, 60 where it is not set. What it can do is measured before, by callers that wait for
their answers. The load comes from a process on the same machine, which has its processors to itself but for this.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from conftest import scorecard_release
from overload import REFUSED, Step, cost, full, held, peak
from results import Result, judged
from served import furnished, serve

SECONDS, WORKERS, PLACES = 60.0, 2, 16
FACTORS = (0.5, 1.0, 2.0, 5.0, 10.0)
KEPT, LONGER, WASTED, PROBE = 0.9, 2.0, 0.1, 0.5
HELD_TO = 5.0  # times the peak: what is beyond is told
GROWTH = 1.5  # of memory, from the first step to the last


def run(tell: Callable[[str], None]) -> list[Result]:
    seconds = float(os.environ.get("TALLY_SOAK_SECONDS", SECONDS)) / len(FACTORS)
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        home = furnished(Path(folder), "card_default", scorecard_release)
        with serve(home, TALLY_WORKERS=str(WORKERS)) as service:
            most = max(peak(service, max(2.0, seconds / 4)) for _ in range(3))
            tell(f"at most {most:,.0f} decisions a second")
            steps = held(service, [(factor, factor * most) for factor in FACTORS], max(seconds, 2.5))
        with serve(home, TALLY_IN_FLIGHT=str(PLACES), TALLY_PATIENCE="60") as service, full(service, PLACES):
            refusing = cost(service, REFUSED)
    for step in steps:
        tell(said(step))
    return [line for step in steps for line in lines(step, steps[0], most)] + [wasted(steps, refusing), memory(steps), probes(steps)]


def said(step: Step) -> str:
    refused, unsent = step.load.statuses[REFUSED], step.load.unsent
    return (f"{step.factor:g} times: {step.steady.goodput:,.0f} a second, 99th percentile {1e3 * step.steady.p99():.1f} ms, "
            f"{refused:,} refused in at most {1e3 * step.load.p99(429):.1f} ms (99th), {unsent:,} not sent in time")


def lines(step: Step, unloaded: Step, most: float) -> list[Result]:
    workload = f"{step.factor:g} times the peak of {most:,.0f} a second, {step.load.seconds:g} s"
    if step.factor < 1:
        return [judged("load", workload, f"99th percentile {1e3 * step.steady.p99():.1f} ms: what is called unloaded", "for comparison",
                       met=True)]
    other = {status: count for status, count in step.load.statuses.items() if status not in {200, 429}}
    share, longer = step.steady.goodput / most, step.steady.p99() / unloaded.steady.p99()
    counts = step.factor <= HELD_TO
    judged_for_tails = counts and step.factor > 1  # at the peak itself a short queue may stand, and nobody is refused for it
    return [
        judged("load", workload, f"goodput {100 * share:.0f}% of the peak", f"{100 * KEPT:.0f}%" if counts else "told only",
               met=share >= KEPT or not counts),
        judged("load", workload, f"99th percentile of the answered {longer:.1f} times that unloaded",
               f"{LONGER:g} times" if judged_for_tails else "told only", met=longer <= LONGER or not judged_for_tails),
        judged("load", workload, f"{sum(other.values())} answers that are neither a decision nor an early refusal {other or ''}".strip(), 0,
               met=not other),
    ]


def wasted(steps: list[Step], refusing: float) -> Result:
    """refusing: seconds of processor time that a refusal costs by itself."""
    (above,) = (step for step in steps if step.factor == HELD_TO)
    share = refusing * above.load.statuses[REFUSED] / above.processor
    return judged("load", f"work for no answer, {HELD_TO:g} times the peak: {1e6 * refusing:.0f} µs a refusal",
                  f"{100 * share:.0f}% of the workers' processor time", f"{100 * WASTED:.0f}%", met=share <= WASTED)


def memory(steps: list[Step]) -> Result:
    grown = steps[-1].memory / steps[0].memory
    figure = f"{steps[-1].memory / 2**20:,.0f} MiB, {grown:.2f} times that unloaded"
    return judged("load", "memory of the workers", figure, f"{GROWTH:g} times", met=grown <= GROWTH)


def probes(steps: list[Step]) -> Result:
    asked = [one for step in steps for one in step.probes]
    failed, slowest = sum(one.status != 200 for one in asked), max(one.took for one in asked)
    return judged("load", f"{len(asked)} probes", f"{failed} failed, the slowest took {1e3 * slowest:.0f} ms", f"0 failed, {PROBE:g} s",
                  met=not failed and slowest <= PROBE)
