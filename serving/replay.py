"""Deciding a recorded decision again, from its record and its release alone, and saying where the two differ.

Needs no feature store, registry or service: the record holds every value the decision was made from, the release every text and cut-off
it was made with, so a later release changes nothing. Refuses another release or interface. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from feature_repo.contract import Action
from feature_repo.errors import ReleaseError
from feature_repo.portfolio import Portfolio
from governance import release
from governance.ledger.entries import canonical
from governance.release import Release
from serving.scoring import decision
from serving.scoring.decision import Assessment, Scorer
from serving.scoring.kernel import Array
from serving.scoring.parts import ACTIONS, Decision

FIELDS = Decision.__struct_fields__
SINCE: dict[str, Any] = {"outside": ()}  # what decisions did not always say
Content = Mapping[str, Any]


@dataclass(frozen=True)
class Replay:
    """A decision made twice. differences: field -> (recorded, decided again); none where they are equal to the last bit."""

    decision_id: str
    differences: dict[str, tuple[Any, Any]]

    @property
    def same(self) -> bool:
        return not self.differences


@dataclass(frozen=True)
class Scorers:
    """The releases of a home, each verified and loaded once."""

    folder: Path
    portfolio: Portfolio
    loaded: dict[str, Scorer] = field(default_factory=dict)

    def of(self, release_id: str) -> Scorer:
        """The scorer of a release. Raises ReleaseError where it is not here, was altered, or needs another interface."""
        if release_id not in self.loaded:
            path = self.folder / release_id
            if not path.is_dir():
                raise ReleaseError(f"release {release_id[:12]} is not in {self.folder}; bring it back from the registry or a backup")
            self.loaded[release_id] = decision.load(release.verify(path, release_id), self.portfolio)
        return self.loaded[release_id]


def replay(content: Content, made_with: Release, portfolio: Portfolio) -> Replay:
    """Decide again what `content`, the body of a ledger record, says was decided.

    Raises ReleaseError where `made_with` is not the release the decision was made with, or this code has another interface.
    """
    if content["release_id"] != made_with.id:
        raise ReleaseError(f"the decision was made with release {content['release_id']}, this one is {made_with.id}")
    return again(content, decision.load(made_with, portfolio))


def again(content: Content, scorer: Scorer) -> Replay:
    """`replay` where the decision's own release is loaded already."""
    values = {column.name: content["values"][column.name] for column in scorer.portfolio.raw_inputs}
    return compared(content, msgspec.structs.asdict(scorer.decide(values, tuple(content["doubtful"]))))


def many(contents: Sequence[Content], scorer: Scorer) -> Iterator[Replay]:
    """`again` of decisions of one release, through the same arrays all at once: the same answers, an order of magnitude sooner."""
    at, doubted = scorer.assess(inputs(scorer.portfolio, contents)), doubts(contents)
    severity = outcomes(at, doubted)
    refused = np.flatnonzero(severity)
    explained = dict(zip(refused.tolist(), scorer.kernel.contributions(at.rows[refused]), strict=True))
    columns = {name: _plain(column) for name, column in at.columns.items()}
    for i, content in enumerate(contents):
        doubt = bool(doubted[i] or at.doubtful[i])
        yield compared(content, {
            "pd": float(at.pd[i]), "margin": float(at.margin[i]), "score": int(at.score[i]), "band": scorer.policy.bands[at.band[i]].name,
            "outcome": ACTIONS[severity[i]].value, "degraded": doubt, "values": {name: column[i] for name, column in columns.items()},
            "reasons": scorer.principal(at, i, explained[i], doubtful=doubt) if i in explained else (),
            "outside": tuple(name for name, beyond in at.outside.items() if beyond[i]),
        })


def compared(content: Content, made: Content) -> Replay:
    """What a record says against what was decided again, by their canonical bytes. Where it is older than a field, that found nothing."""
    said = {**SINCE, **content}
    pairs = {name: (said[name], msgspec.to_builtins(made[name])) for name in FIELDS if canonical(said[name]) != canonical(made[name])}
    return Replay(content["decision_id"], pairs)


def inputs(portfolio: Portfolio, contents: Sequence[Content]) -> dict[str, Array]:
    """The raw inputs of recorded decisions as `Scorer.assess` takes them."""
    said = [content["values"] for content in contents]
    return {
        column.name: np.array([each[column.name] for each in said], dtype=object) if column.is_level
        else np.array([np.nan if each[column.name] is None else each[column.name] for each in said], dtype=np.float64)
        for column in portfolio.raw_inputs
    }


def doubts(contents: Sequence[Content]) -> Array:
    """Whether a stored value was in doubt when it was decided, bool per decision."""
    return np.array([bool(content["doubtful"]) for content in contents], dtype=bool)


def outcomes(at: Assessment, doubted: Array) -> Array:
    """Index into ACTIONS per application, as `Scorer.decide` finds it."""
    return np.asarray(np.maximum(at.severity, doubted * ACTIONS.index(Action.REFER)))


def _plain(column: Array) -> list[Any]:
    """Values as a record holds them: None for missing."""
    return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 - NaN alone differs from itself
