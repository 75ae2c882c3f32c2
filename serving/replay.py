"""Deciding a recorded decision again, from its record and its release alone, and saying where the two differ.

Needs no feature store, registry or service: the record holds every value the decision was made from, the release every text and cut-off
it was made with, so a later release changes nothing. Refuses another release or interface. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from feature_repo.errors import ReleaseError
from feature_repo.portfolio import Portfolio
from governance import release
from governance.records import canonical
from governance.release import Release
from serving.scoring import decision
from serving.scoring.decision import Scorer
from serving.scoring.parts import Decision

FIELDS = Decision.__struct_fields__


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
                raise ReleaseError(f"release {release_id[:12]} is not in {self.folder}; bring it back, or run: tally place")
            self.loaded[release_id] = decision.load(release.verify(path, release_id), self.portfolio)
        return self.loaded[release_id]


def replay(content: Mapping[str, Any], made_with: Release, portfolio: Portfolio) -> Replay:
    """Decide again what `content`, the body of a ledger record, says was decided.

    Raises ReleaseError where `made_with` is not the release the decision was made with, or this code has another interface.
    """
    if content["release_id"] != made_with.id:
        raise ReleaseError(f"the decision was made with release {content['release_id']}, this one is {made_with.id}")
    return again(content, decision.load(made_with, portfolio))


def again(content: Mapping[str, Any], scorer: Scorer) -> Replay:
    """`replay` where the decision's own release is loaded already."""
    values = {column.name: content["values"][column.name] for column in scorer.portfolio.raw_inputs}
    made = msgspec.to_builtins(scorer.decide(values, tuple(content["doubtful"])))
    return Replay(content["decision_id"], {name: (content[name], made[name]) for name in FIELDS
                                           if canonical(content[name]) != canonical(made[name])})
