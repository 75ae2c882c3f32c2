"""Which factors count as the principal reasons, and in what words.

The method is the shortfall against applicants at the approve cut-off: Regulation B, 12 CFR 1002.9, official comment 9(b)(2)-5. A
reason's weight is what its inputs add to the log-odds of bad beyond what they add for those applicants; inputs that share a text
are one reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from serving.scoring.kernel import Array
from serving.scoring.parts import Reason, Texts

METHOD = "shortfall against applicants at the approve cut-off (12 CFR 1002.9, comment 9(b)(2)-5)"
MOST = 4
DOUBT = Reason("not_current", "stored", "Some of the information we hold about you could not be confirmed as current")


def principal(texts: Texts, shortfall: Array, *, broken: Sequence[dict[str, str]], doubtful: bool,
              scored: bool) -> tuple[Reason, ...]:
    """Broken rules first, then the model's factors by weight; that a value is in doubt only fills up.

    shortfall: shape (inputs,), positive is adverse; scored: whether the PD itself missed the approve cut-off; where it did not, doubt
    is what kept the application from approval, and no factor stands before it.
    """
    found = [Reason(rule["code"], "rule", rule["reason"]) for rule in broken]
    found += factors(texts, shortfall) if scored else []
    found += [DOUBT] if doubtful else []
    distinct = {reason.text: reason for reason in reversed(found)}
    return tuple(reason for reason in found if distinct[reason.text] is reason)[:MOST]


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
