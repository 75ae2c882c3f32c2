"""A split: which share of applicants the challenger decides instead of the champion, until when, and who is among them.

Responsible for an applicant being on the same side in every worker, process and place for as long as the experiment has its name: the
side is a keyed hash of the applicant's id and of nothing else. A larger share of the same experiment keeps whom the smaller had. Reads no
clock. Refuses nothing; what may be agreed to is `governance.rules`.
"""

from __future__ import annotations

import hmac
from typing import Literal

import msgspec

LEAST_SHARE, MOST_SHARE = 0.001, 0.5
LONGEST_EXPERIMENT = 64
SIZE = 8  # bytes of the digest that are read as a number
Arm = Literal["champion", "challenger"]


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What two people agree to: `share` of applicants, until a moment (ISO 8601, UTC), drawn by the name of the experiment."""

    experiment: str
    share: float
    until: str

    def arm(self, applicant_id: str) -> Arm:
        """Who decides an applicant while it lasts."""
        return "challenger" if drawn(self.experiment, applicant_id) < self.share else "champion"


def drawn(experiment: str, applicant_id: str) -> float:
    """A number in [0, 1] for an applicant, uniform over applicants and independent between experiments: HMAC-SHA-256."""
    digest = hmac.digest(experiment.encode(), applicant_id.encode(), "sha256")
    return int.from_bytes(digest[:SIZE]) / float(1 << 8 * SIZE)
