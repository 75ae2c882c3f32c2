"""What another release would have decided on recorded decisions, and which part of it makes the difference.

Responsible for the swap set (outcome as recorded against outcome of the other release) and its attribution. Parts: `model`, the kernel with
its calibrator; `features`, the numbers that levels become; `support`, what development had of each input, beyond which a value may refer;
`policy`, cut-offs, bands, and what a rule that holds leads to. A part is a cause where putting it alone into the recorded release already
gives the other release's outcome; several such parts are all named, and where there is none it takes them `together`. The limits: parts
were made for each other, so a kernel on the other's encoding answers a question nobody trained it for; a scorecard's calibration is folded
into its points; and cut-offs are set on a model's own PDs, so a policy that follows its model is named with it or not at all. Derived
features and rules belong to the interface, which both share.

Refuses a release of another interface, and records that do not come out as recorded. Reads no outcome of a loan and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pandas as pd

from feature_repo.errors import LedgerError
from serving.replay import Content, doubts, inputs, outcomes
from serving.scoring.decision import Assessment, Scorer
from serving.scoring.kernel import Array
from serving.scoring.parts import ACTIONS

TOGETHER = "together"
UNCHANGED = ""
NAMES = np.array([action.value for action in ACTIONS])


def reconsider(contents: Sequence[Content], recorded: Scorer, other: Scorer) -> pd.DataFrame:
    """What `other` says of decisions that the release `recorded` made. One row a decision, in order; no value of an applicant is in it.

    contents: bodies of ledger records. Columns: decision_id, recorded_at, release_id; outcome, pd, score as recorded; other_outcome,
    other_pd, other_score; because: parts joined by "+", "together", or "" where the outcome is the same.
    Raises LedgerError where the recorded release does not give what is recorded: then nothing would be explained.
    """
    values, doubted = inputs(recorded.portfolio, contents), doubts(contents)
    mine, theirs = recorded.assess(values), other.assess(values)
    was, would = outcomes(mine, doubted), outcomes(theirs, doubted)
    frame = pd.DataFrame({name: [content[name] for content in contents]
                          for name in ("decision_id", "recorded_at", "release_id", "outcome", "pd", "score")})
    _require_as_recorded(frame, mine, was)
    changed = np.flatnonzero(was != would)
    because = np.full(len(frame), UNCHANGED, dtype=object)
    if len(changed):
        those = {name: column[changed] for name, column in values.items()}
        because[changed] = causes(hybrids(recorded, other), those, doubted[changed], would[changed])
    return frame.assign(other_outcome=NAMES[would], other_pd=theirs.pd, other_score=theirs.score, because=because)


def causes(parts: Mapping[str, Scorer], values: Mapping[str, Array], doubted: Array, would: Array) -> Array:
    """Per decision the parts that alone lead to `would` (index into ACTIONS), object array of names. At least one decision."""
    found = np.full(len(would), UNCHANGED, dtype=object)
    for part, hybrid in parts.items():
        alone = outcomes(hybrid.assess(values), doubted) == would
        found[alone] = [f"{known}+{part}" if known else part for known in found[alone]]
    found[found == UNCHANGED] = TOGETHER
    return found


def hybrids(recorded: Scorer, other: Scorer) -> dict[str, Scorer]:
    """The recorded release with one part of the other in it, by the part's name."""
    rules = msgspec.structs.replace(recorded.texts, rules=other.texts.rules)
    return {
        "model": replace(recorded, kernel=other.kernel, calibrator=other.calibrator),
        "features": replace(recorded, portfolio=other.portfolio, encoding=other.encoding),
        "support": replace(recorded, support=other.support),
        "policy": replace(recorded, policy=other.policy, texts=rules),
    }


def swaps(frame: pd.DataFrame) -> pd.DataFrame:
    """The swap set: per pair of outcomes that occurs the count, mean PDs and scores, and their mean move (other less recorded)."""
    moved = frame.assign(pd_move=frame["other_pd"] - frame["pd"], score_move=frame["other_score"] - frame["score"])
    found = moved.groupby(["outcome", "other_outcome"]).agg(
        count=("pd", "size"), pd=("pd", "mean"), other_pd=("other_pd", "mean"), pd_move=("pd_move", "mean"),
        score=("score", "mean"), other_score=("other_score", "mean"), score_move=("score_move", "mean"))
    return found.reindex([(was, would) for was in NAMES for would in NAMES if (was, would) in found.index]).reset_index()


def attribution(frame: pd.DataFrame) -> dict[str, int]:
    """How many changed outcomes each cause explains, most first; the counts add up to the changed."""
    changed = frame.loc[frame["because"] != UNCHANGED, "because"]
    return {str(cause): int(count) for cause, count in changed.value_counts().items()}


def _require_as_recorded(frame: pd.DataFrame, mine: Assessment, was: Array) -> None:
    differs = np.flatnonzero((NAMES[was] != frame["outcome"].to_numpy()) | (mine.pd != frame["pd"].to_numpy()))
    if len(differs):
        raise LedgerError(f"{len(differs)} decisions do not come out as recorded, the first is {frame['decision_id'].iloc[differs[0]]}; "
                          "what changed them cannot be told. See which: tally replay --all")
