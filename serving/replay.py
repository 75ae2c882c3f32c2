"""Deciding a recorded decision again, from its record and its release alone, and saying where the two differ.

Needs no feature store, registry or service: the record holds every value the decision was made from. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from feature_repo.errors import ReleaseError
from feature_repo.portfolio import Portfolio
from governance.records import canonical
from governance.release import Release
from serving.scoring import decision
from serving.scoring.parts import Decision


@dataclass(frozen=True)
class Replay:
    """A decision made twice. differences: field -> (recorded, decided again); none where they are equal to the last bit."""

    decision_id: str
    differences: dict[str, tuple[Any, Any]]

    @property
    def same(self) -> bool:
        return not self.differences


def replay(content: Mapping[str, Any], release: Release, portfolio: Portfolio) -> Replay:
    """Decide again what `content`, the body of a ledger record, says was decided.

    Raises ReleaseError where `release` is not the one the decision was made with, or this code has another interface.
    """
    if content["release_id"] != release.id:
        raise ReleaseError(f"the decision was made with release {content['release_id']}, this one is {release.id}")
    scorer = decision.load(release, portfolio)
    values = {column.name: content["values"][column.name] for column in portfolio.raw_inputs}
    again = msgspec.to_builtins(scorer.decide(values, tuple(content["doubtful"])))
    recorded = {name: content[name] for name in Decision.__struct_fields__}
    return Replay(content["decision_id"], {name: (recorded[name], again[name]) for name in recorded
                                           if canonical(recorded[name]) != canonical(again[name])})
