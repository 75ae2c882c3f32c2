"""Who decides whom: the champion, or for the share of applicants that two people agreed to, the challenger.

Responsible for one choice at the beginning of a request, kept until its end, and for the end of a split to the moment. Where the challenger
cannot be used, has become the champion, or its time is over, the champion decides everybody and the record names no arm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from serving.candidate import Lent
from serving.champion import Champion


@dataclass(frozen=True)
class Chosen:
    """The release that decides an applicant. said: what the record says of why."""

    release: Champion
    said: dict[str, str]


@dataclass(frozen=True)
class Arms:
    """Who decides whom for the length of a request. lent: the challenger, where a split is on."""

    champion: Champion
    lent: Lent | None

    def of(self, applicant_id: str) -> Chosen:
        """The release that decides an applicant."""
        lent = self.lent
        if lent is None or lent.split is None or lent.release is None:
            return Chosen(self.champion, {})
        arm = lent.split.arm(applicant_id)
        return Chosen(lent.release if arm == "challenger" else self.champion, {"arm": arm, "experiment": lent.split.experiment})


def arms(champion: Champion, lent: Lent | None) -> Arms:
    """The arms of this moment, by the clock on the wall."""
    on = lent and lent.split and lent.release and lent.release.release.id != champion.release.id
    over = lent and lent.until and datetime.now(UTC) >= lent.until
    return Arms(champion, lent if on and not over else None)
