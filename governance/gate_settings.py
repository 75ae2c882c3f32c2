"""What the gates of a release are set to: section `gates` of params.yaml, and gates.json of the release, strictly.

Responsible for the shape of each gate's limits and for saying them in words. Refuses an unknown key and a limit no figure could have.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from governance import packs

FILE = "gates.json"
PACKS = "packs"
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Phrase = Annotated[str, msgspec.Meta(min_length=2)]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gate's limits, with every key known."""


class Data(Strict, frozen=True):
    """Great Expectations' verdict: nothing to choose."""

    @property
    def allowed(self) -> str:
        return "no broken promise that stops a run"


class Discrimination(Strict, frozen=True):
    """gini: what the lower bound of the test's Gini must reach; minimum_bad: bad outcomes below which the interval is not believed."""

    gini: Share
    minimum_bad: Count

    @property
    def allowed(self) -> str:
        return f"lower bound at least {self.gini:g}, on {self.minimum_bad} bad outcomes or more"


class Champion(Strict, frozen=True):
    """gini_loss: how much the lower bound of the difference to the champion's Gini may fall below 0; confidence: of that interval."""

    gini_loss: Share
    confidence: Annotated[float, msgspec.Meta(gt=0.5, lt=1)]

    @property
    def allowed(self) -> str:
        return f"lower bound of the difference at least -{self.gini_loss:g}, at a confidence of {self.confidence:.0%} or more"


class Parity(Strict, frozen=True):
    """mismatch: what the upper bound of a column's share of other values must not exceed; confidence: of that bound, at least.

    minimum: decisions that a check must have compared; days: how old it may be.
    """

    mismatch: Share
    confidence: Annotated[float, msgspec.Meta(gt=0.5, lt=1)]
    minimum: Count
    days: Count

    @property
    def allowed(self) -> str:
        return (f"in every stored column other values in at most {self.mismatch:.1%} of decisions, by a bound at a confidence of "
                f"{self.confidence:.0%} or more; checked within {self.days} days on {self.minimum} decisions or more")


class Slope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the calibration slope."""

    low: Annotated[float, msgspec.Meta(gt=0, le=1)]
    high: Annotated[float, msgspec.Meta(ge=1)]


class Calibration(Strict, frozen=True):
    """excess, band_excess: by what share bad outcomes may exceed the PDs, of all and of a band, where Jeffreys' p-value is below p_value.

    minimum_outcomes: of the test, and of a band that is judged; minimum_bad: of the test, and as many good.
    """

    excess: Share
    band_excess: Share
    p_value: Share
    slope: Slope
    minimum_outcomes: Count
    minimum_bad: Count

    @property
    def allowed(self) -> str:
        return (f"bad outcomes above the PDs by at most {self.excess:.0%}, in a band by {self.band_excess:.0%}, unless Jeffreys' "
                f"p-value is {self.p_value:g} or more; slope {self.slope.low:g} to {self.slope.high:g}; on {self.minimum_outcomes} "
                f"outcomes and {self.minimum_bad} bad ones or more")


class Monotonicity(Strict, frozen=True):
    """The proof of every declared direction: nothing to choose."""

    @property
    def allowed(self) -> str:
        return "every direction the contract declares is proved"


class Fairness(Strict, frozen=True):
    """packs: policy packs that must all let the release through, each a gate of its own."""

    packs: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]

    @property
    def allowed(self) -> str:
        return f"what the policy packs say: {', '.join(self.packs)}"


class Reasons(Strict, frozen=True):
    """banned: phrases that a reason must not contain, whatever the case, for they tell the applicant nothing."""

    banned: tuple[Phrase, ...]

    @property
    def allowed(self) -> str:
        return "every input and every rule has a reason, and none of them is an empty phrase"


class Fidelity(Strict, frozen=True):
    """helps: share of named reasons whose factor, moved to the baseline, must lower the PD; cases: fewest reasons; sample: applications."""

    helps: Share
    cases: Count
    sample: Count

    @property
    def allowed(self) -> str:
        return f"at least {self.helps:.0%}, of {self.cases} named reasons or more"


class Stability(Strict, frozen=True):
    """The worst verdict of stability.json that passes: of the scores' PSI, and of the Gini out of time against before."""

    scores: Literal["ok", "watch"]
    gini: Literal["ok", "watch"]

    @property
    def allowed(self) -> str:
        return f"out of time, score and PD at most {self.scores!r}, Gini at most {self.gini!r}"


class Gates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section gates. people: how many must have signed a promotion, the requester among them, none of them the release's author."""

    data: Data
    discrimination: Discrimination
    champion: Champion
    calibration: Calibration
    monotonicity: Monotonicity
    fairness: Fairness
    reasons: Reasons
    fidelity: Fidelity
    stability: Stability
    parity: Parity
    people: Annotated[int, msgspec.Meta(ge=2)]


def frozen(settings: Gates) -> dict[str, Any]:
    """gates.json: the settings, and the policy packs they name with all their versions. Raises ParamsError for a pack there is none of."""
    return {**msgspec.to_builtins(settings), PACKS: {name: packs.read(name) for name in settings.fairness.packs}}
