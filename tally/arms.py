"""What releases beside the champion show on live traffic: a shadow's answers beside those that were given, and the arms of a split.

Responsible for comparing like with like: a shadow with the decision on the same inputs, an arm by each applicant's first decision in it, so
that who comes twice counts once. Says how far chance alone brings the figures. Reads the record and nothing else, in memory that does not
grow with it; refuses to say anything of how loans went: that takes outcomes, which are monitoring's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec
from scipy import stats
from tqdm import tqdm

from feature_repo.errors import LedgerError
from governance import promotion
from governance.ledger.entries import DECISION, SHADOW_DECISION, Record
from monitoring.intervals import Estimate, difference, share_of_some
from tally.arms_kept import APPROVE, Beside, Decided, Kept, Shadowed, kept
from tally.questions import Questions
from tally.replays import Span

LEVEL = 0.95
QUANTILES = {"p05": 0.05, "median": 0.5, "p95": 0.95}
ARMS = ("champion", "challenger")
Said = TypeVar("Said", bound=msgspec.Struct)


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
    with kept() as store:
        gone = 0
        for record in _watched(asked.book.records({SHADOW_DECISION}, **span.bounds), "shadows"):
            gone += record.erased
            if said := _read(record, Shadowed):
                store.shadow(said)
        for record in _watched(asked.book.records({DECISION}, **span.bounds), "decisions"):
            if decided := _read(record, Decided):
                store.decision(decided)
        pairs, drawn = store.pairs(), store.experiments()
        if not pairs and not drawn:
            raise LedgerError(f"nothing of a shadow or a split is recorded of {asked.portfolio} in this span; ask for one: tally request "
                              "--alias shadow, or tally split")
        shares = agreed(asked) if drawn else {}
        return Compared(tuple(paired(store, of) for of in pairs),
                        tuple(experiment(store, name, shares.get(name, set())) for name in drawn), gone, store.alone)


def paired(store: Kept, of: Beside) -> Pairs:
    """A shadow beside what decided, on the same inputs."""
    counts = store.moves(of)
    moves: dict[str, dict[str, int]] = {}
    for (before, after), count in counts.items():
        moves.setdefault(before, {})[after] = count

    def how_many(those: Callable[[str, str], bool]) -> int:
        return sum(count for (before, after), count in counts.items() if those(before, after))

    size, enters = sum(counts.values()), how_many(lambda before, after: before != APPROVE == after)
    leaves = how_many(lambda before, after: before == APPROVE != after)
    return Pairs(
        of.release_id, of.shadow, size, share_of_some((how_many(lambda before, after: before == after), size), LEVEL), moves,
        share_of_some((how_many(lambda before, _: before == APPROVE), size), LEVEL),
        share_of_some((how_many(lambda _, after: after == APPROVE), size), LEVEL),
        enters, leaves, float(stats.binomtest(enters, enters + leaves).pvalue) if enters + leaves else None,
        store.pd_difference(of, QUANTILES))


def agreed(asked: Questions) -> dict[str, set[float]]:
    """The shares of each experiment that took effect."""
    found: dict[str, set[float]] = {}
    for one in promotion.standing(asked.events, asked.people).requests.values():
        if one.split and one.promoted:
            found.setdefault(one.split.experiment, set()).add(one.split.share)
    return found


def experiment(store: Kept, name: str, shares: set[float]) -> Experiment:
    """The arms of a split, each applicant by their first decision in it. shares: that people agreed to."""
    found = {arm: store.arm(name, arm) for arm in ARMS}
    cases = {arm: (approved, of) for arm, (_, approved, of) in found.items()}
    arms = tuple(Arm(arm, releases, of, share_of_some(cases[arm], LEVEL)) for arm, (releases, _, of) in found.items() if of)
    everybody, drawn = sum(of for _, of in cases.values()), cases["challenger"][1]
    share = next(iter(shares)) if len(shares) == 1 else None
    return Experiment(name, arms, share_of_some((drawn, everybody), LEVEL), share,
                      float(stats.binomtest(drawn, everybody, share).pvalue) if share else None,
                      difference(cases["challenger"], cases["champion"], LEVEL))


def _read(record: Record, kind: type[Said]) -> Said | None:
    """What a record says; None where it was erased or is not what it claims to be."""
    try:
        return None if record.erased else msgspec.json.decode(record.body, type=kind)
    except msgspec.MsgspecError:
        return None


def _watched(records: Iterable[Record], title: str) -> Iterator[Record]:
    return iter(tqdm(records, desc=title, unit=f" {title}", disable=None))
