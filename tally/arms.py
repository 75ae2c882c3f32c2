"""What releases beside the champion show on live traffic: a shadow's answers beside those that were given, and the arms of a split.

Responsible for comparing like with like: a shadow with the decision on the same inputs, an arm by each applicant's first decision in it, so
that who comes twice counts once. Says how far chance alone brings the figures. Reads the record and nothing else; refuses to say anything
of how loans went: that takes outcomes, which are monitoring's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import TypeVar

import msgspec
import numpy as np
from scipy import stats
from tqdm import tqdm

from feature_repo.errors import LedgerError
from governance import promotion
from governance.ledger.entries import DECISION, SHADOW_DECISION, Record
from monitoring.intervals import Estimate, difference, share_of_some
from tally.questions import Questions
from tally.replays import Span

LEVEL = 0.95
QUANTILES = (0.05, 0.5, 0.95)
APPROVE = "approve"
Said = TypeVar("Said", bound=msgspec.Struct)


class Decided(msgspec.Struct, frozen=True):
    """A decision, as far as it is compared."""

    decision_id: str
    applicant_id: str
    release_id: str
    outcome: str
    pd: float
    arm: str = ""
    experiment: str = ""


class Shadowed(msgspec.Struct, frozen=True):
    """What the shadow said of one. beside: the release that decided."""

    decision_id: str
    release_id: str
    beside: str
    outcome: str
    pd: float


class Pairs(msgspec.Struct, frozen=True):
    """A shadow beside a release that decided: `moves` (decided, shadow) -> decisions; PDs are the shadow's less the decision's.

    swapped_in, swapped_out: approved by the shadow alone, by the decision alone; p_value: how often chance alone would part the two so
    far (McNemar 1947, exact), None where nobody changes sides.
    """

    release_id: str
    shadow: str
    decisions: int
    agreement: Estimate
    moves: dict[str, dict[str, int]]
    approved: Estimate
    approved_by_shadow: Estimate
    swapped_in: int
    swapped_out: int
    p_value: float | None
    pd_difference: dict[str, float]


class Arm(msgspec.Struct, frozen=True):
    """One arm of a split: distinct applicants, how many releases decided them, and the share approved."""

    arm: str
    releases: tuple[str, ...]
    applicants: int
    approved: Estimate


class Experiment(msgspec.Struct, frozen=True):
    """A split as it went. drawn: the challenger's share of applicants; approvals: the challenger's share approved less the champion's.

    agreed: the share people agreed to, None where it was several in turn; p_value: how often chance alone would draw so far from it.
    """

    experiment: str
    arms: tuple[Arm, ...]
    drawn: Estimate
    agreed: float | None
    p_value: float | None
    approvals: Estimate | None


class Compared(msgspec.Struct, frozen=True):
    """Both. erased, alone: shadows' records without content, and without the decision they are beside in the span."""

    shadows: tuple[Pairs, ...]
    experiments: tuple[Experiment, ...]
    erased: int
    alone: int


def compare(asked: Questions, span: Span) -> Compared:
    """All there is to compare in a span of the record's clock. Raises LedgerError where there is nothing."""
    shadows, gone = {}, 0
    for record in _watched(asked.book.records({SHADOW_DECISION}, **span.bounds), "shadows"):
        gone += record.erased
        if said := _read(record, Shadowed):
            shadows[said.decision_id] = said
    pairs: dict[tuple[str, str], list[tuple[Decided, Shadowed]]] = {}
    drawn: dict[str, dict[bytes, Decided]] = {}
    for record in _watched(asked.book.records({DECISION}, **span.bounds), "decisions"):
        if (decided := _read(record, Decided)) is None:
            continue
        if said := shadows.pop(decided.decision_id, None):
            pairs.setdefault((decided.release_id, said.release_id), []).append((decided, said))
        if decided.experiment:
            drawn.setdefault(decided.experiment, {}).setdefault(_who(decided), decided)
    if not pairs and not drawn:
        raise LedgerError(f"nothing of a shadow or a split is recorded of {asked.portfolio} in this span; ask for one: tally request "
                          "--alias shadow, or tally split")
    shares = agreed(asked) if drawn else {}
    return Compared(tuple(paired(of) for of in pairs.values()), tuple(experiment(name, of.values(), shares.get(name, set()))
                                                               for name, of in drawn.items()), gone, len(shadows))


def paired(of: list[tuple[Decided, Shadowed]]) -> Pairs:
    """A shadow beside what decided, on the same inputs."""
    first, other = of[0]
    counts = Counter((decided.outcome, said.outcome) for decided, said in of)
    moves: dict[str, dict[str, int]] = {}
    for (before, after), count in sorted(counts.items()):
        moves.setdefault(before, {})[after] = count
    enters = sum(count for (before, after), count in counts.items() if before != APPROVE == after)
    leaves = sum(count for (before, after), count in counts.items() if before == APPROVE != after)
    moved = np.array([said.pd - decided.pd for decided, said in of])
    low, middle, high = np.quantile(moved, QUANTILES)
    size, same = len(of), sum(count for (before, after), count in counts.items() if before == after)
    return Pairs(
        first.release_id, other.release_id, size, share_of_some((same, size), LEVEL), moves,
        share_of_some((sum(decided.outcome == APPROVE for decided, _ in of), size), LEVEL),
        share_of_some((sum(said.outcome == APPROVE for _, said in of), size), LEVEL),
        enters, leaves, float(stats.binomtest(enters, enters + leaves).pvalue) if enters + leaves else None,
        {"mean": float(moved.mean()), "p05": float(low), "median": float(middle), "p95": float(high), "largest": float(abs(moved).max())})


def agreed(asked: Questions) -> dict[str, set[float]]:
    """The shares of each experiment that took effect."""
    found: dict[str, set[float]] = {}
    for one in promotion.standing(asked.events, asked.people).requests.values():
        if one.split and one.promoted:
            found.setdefault(one.split.experiment, set()).add(one.split.share)
    return found


def experiment(name: str, of: Iterable[Decided], shares: set[float]) -> Experiment:
    """The arms of a split, each applicant by their first decision in it. shares: that people agreed to."""
    by_arm: dict[str, list[Decided]] = {"champion": [], "challenger": []}
    for one in of:
        by_arm[one.arm].append(one)
    cases = {arm: (sum(one.outcome == APPROVE for one in those), len(those)) for arm, those in by_arm.items()}
    arms = tuple(Arm(arm, tuple(dict.fromkeys(one.release_id for one in those)), len(those), share_of_some(cases[arm], LEVEL))
                 for arm, those in by_arm.items() if those)
    everybody, drawn = sum(of for _, of in cases.values()), cases["challenger"][1]
    share = next(iter(shares)) if len(shares) == 1 else None
    return Experiment(name, arms, share_of_some((drawn, everybody), LEVEL), share,
                      float(stats.binomtest(drawn, everybody, share).pvalue) if share else None,
                      difference(cases["challenger"], cases["champion"], LEVEL))


def _who(decided: Decided) -> bytes:
    """An applicant in few bytes, which is all that is kept of them."""
    return blake2b(decided.applicant_id.encode(), digest_size=16).digest()


def _read(record: Record, kind: type[Said]) -> Said | None:
    """What a record says; None where it was erased or is not what it claims to be."""
    try:
        return None if record.erased else msgspec.json.decode(record.body, type=kind)
    except msgspec.MsgspecError:
        return None


def _watched(records: Iterable[Record], title: str) -> Iterator[Record]:
    return iter(tqdm(records, desc=title, unit=f" {title}", disable=None))
