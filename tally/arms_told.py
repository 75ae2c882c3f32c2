"""A comparison of shadows and arms as lines for a terminal: the figure, how far chance brings it, and what is not in it."""

from __future__ import annotations

from collections.abc import Iterator

from governance.sentences import many, short
from monitoring.intervals import Estimate
from serving.scoring.parts import ACTIONS
from tally.arms import Compared, Experiment, Pairs

NAMES = [action.value for action in ACTIONS]


def told(found: Compared) -> Iterator[str]:
    """All of it."""
    for pairs in found.shadows:
        yield from shadow(pairs)
    for experiment in found.experiments:
        yield from arms(experiment)
    if found.alone:
        yield f"left out: {many(found.alone, 'record', 'records')} of a shadow whose decision is not in this span"
    if found.erased:
        yield f"erased: {many(found.erased, 'record', 'records')} of a shadow"


def shadow(of: Pairs) -> Iterator[str]:
    """A shadow beside what decided."""
    yield f"shadow {short(of.shadow)} beside {short(of.release_id)}: {many(of.decisions, 'decision', 'decisions')}, the same inputs"
    yield f"  same outcome    {rate(of.agreement)}"
    yield f"  approved        {rate(of.approved)}; the shadow would approve {rate(of.approved_by_shadow)}"
    chance = "nobody changes sides" if of.p_value is None else f"chance alone parts them so far with p {of.p_value:.2g} (McNemar, exact)"
    yield f"  swapped         {of.swapped_in:,} in, {of.swapped_out:,} out; {chance}"
    moved = of.pd_difference
    yield (f"  PD, shadow less decision: mean {moved['mean']:+.4f}, median {moved['median']:+.4f}, 90% between {moved['p05']:+.4f} and "
           f"{moved['p95']:+.4f}, largest {moved['largest']:.4f}")
    yield "  decided \\ shadow" + "".join(f"{name:>10}" for name in NAMES)
    for before in NAMES:
        yield f"  {before:<16}" + "".join(f"{of.moves.get(before, {}).get(after, 0):>10,}" for after in NAMES)


def arms(of: Experiment) -> Iterator[str]:
    """A split, an arm a line."""
    yield f"experiment {of.experiment}: the challenger drew {rate(of.drawn)} of {sum(arm.applicants for arm in of.arms):,} applicants"
    if of.agreed is not None:
        yield f"  agreed to {of.agreed:.1%}; chance alone draws so far from it with p {of.p_value:.2g} (binomial, exact)"
    for arm in of.arms:
        yield (f"  {arm.arm:<12}{many(arm.applicants, 'applicant', 'applicants')}, approved {rate(arm.approved)}; "
               f"release {', '.join(map(short, arm.releases))}")
    if of.approvals:
        yield f"  approvals, challenger less champion: {points(of.approvals)}"


def rate(of: Estimate) -> str:
    return f"{of.value:.1%} ({of.low:.1%} to {of.high:.1%})"


def points(of: Estimate) -> str:
    return f"{100 * of.value:+.1f} points ({100 * (of.low or 0):+.1f} to {100 * (of.high or 0):+.1f})"
