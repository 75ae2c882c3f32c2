"""Which factors count as the principal reasons, and in what words.

The method is a shortfall: a reason's weight is what its inputs add to the log-odds of bad beyond what they add on average for the
applicants it is compared with; inputs that share a text are one reason. Regulation B, 12 CFR 1002.9(b)(2), official comment 9(b)(2)-5,
names two such comparisons, and a release says which one is its own. Against all applicants, somebody who just missed the cut-off may
fall short in nothing; against those at the cut-off, anybody who missed it does, so that comparison then takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from serving.scoring.kernel import Array
from serving.scoring.parts import Reason, Texts


class Against(StrEnum):
    """Whom an application is compared with: approved applicants nearest to the cut-off, or all applicants, both of development."""

    CUT_OFF = "cut_off"
    EVERYONE = "everyone"


METHODS = {
    Against.CUT_OFF: "shortfall against applicants at the approve cut-off (12 CFR 1002.9(b)(2), comment 9(b)(2)-5)",
    Against.EVERYONE: "shortfall against all applicants, and against those at the approve cut-off where it is in nothing "
                      "(12 CFR 1002.9(b)(2), comment 9(b)(2)-5)",
}
MOST = 4
DOUBT = Reason("not_current", "stored", "Some of the information we hold about you could not be confirmed as current")
OUTSIDE = Reason("not_comparable", "outside", "Some of the information about you is unlike that of applicants this assessment was made for")


def reservations(*, doubtful: bool, outside: bool) -> list[Reason]:
    """What keeps an application from approval whatever its PD: a value in doubt, or one that nobody in development had."""
    return [DOUBT] * doubtful + [OUTSIDE] * outside


def principal(texts: Texts, shortfall: Array, *, broken: Sequence[dict[str, str]], reserved: Sequence[Reason],
              scored: bool) -> tuple[Reason, ...]:
    """Broken rules first, then the model's factors by weight; reservations only fill up.

    shortfall: shape (inputs,), positive is adverse; scored: whether the PD itself missed the approve cut-off; where it did not, a
    reservation is what kept the application from approval, and no factor stands before it.
    """
    found = [Reason(rule["code"], "rule", rule["reason"]) for rule in broken]
    found += factors(texts, shortfall) if scored else []
    found += reserved
    distinct = {reason.text: reason for reason in reversed(found)}
    return tuple(reason for reason in found if distinct[reason.text] is reason)[:MOST]


def shortfall(texts: Texts, contributions: Array, baseline: Array, otherwise: Array | None) -> Array:
    """Contributions beyond a baseline, shape (inputs,); beyond `otherwise` where they are adverse in nothing beyond the first."""
    short = contributions - baseline
    return short if otherwise is None or factors(texts, short) else contributions - otherwise


def factors(texts: Texts, shortfall: Array) -> list[Reason]:
    """One reason per text whose inputs together are adverse, heaviest first; its feature is the heaviest of them."""
    weight: dict[str, float] = {}
    heaviest: dict[str, int] = {}
    short = shortfall.tolist()
    for j, spec in enumerate(texts.inputs):
        text = spec["reason"]
        weight[text] = weight.get(text, 0.0) + short[j]
        if text not in heaviest or short[j] > short[heaviest[text]]:
            heaviest[text] = j
    adverse = sorted((text for text in weight if text and weight[text] > 0), key=lambda text: -weight[text])
    return [Reason(texts.inputs[heaviest[text]]["name"], texts.inputs[heaviest[text]]["name"], text) for text in adverse]
