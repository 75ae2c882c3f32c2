"""The challenger against the champion on the same applicants: how each separates and predicts, and who changes sides.

Both are scored by serving.scoring from verified releases; nothing is typed and nothing is decided here: gates read what is found. Where
the champion cannot be scored by this code the difference of the interfaces is told in words, and no figure is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import BAD, EVENT_TIME
from feature_repo.portfolio import Portfolio
from governance.events import Actor, ReleaseCompared
from governance.release import Release
from serving.scoring import decision
from serving.scoring.batch import arrays
from serving.scoring.decision import Scorer
from training import measures, population, swaps
from training.params import Count, ProfitParams, Strict
from training.periods import Period
from training.splits import AFTER, CALIBRATION, DEVELOPMENT, PART, PERIOD, TEST
from training.swaps import Pair

PERIODS = "parts.json"
SPLIT = "split"
COMPARE = "compare"


class Compare(Strict, frozen=True):
    """Section compare of params.yaml. least: fewest people behind a count of a protected group."""

    confidence: Annotated[float, msgspec.Meta(gt=0.5, lt=1)]
    least: Count


@dataclass(frozen=True)
class Subject:
    """What is compared on: assembled applications, their parts and protected groups, in one order."""

    portfolio: Portfolio
    frame: pd.DataFrame
    parts: pd.DataFrame
    vault: pd.DataFrame
    params: Compare
    profit: ProfitParams

    @cached_property
    def tested(self) -> Any:
        return (self.parts[PART] == TEST).to_numpy()

    @cached_property
    def applied(self) -> Any:
        """Everyone who applied in the test's period, from its first to its last outcome, rejected applicants included."""
        times = self.frame[EVENT_TIME]
        of_test = times[self.tested]
        return ((self.parts[PERIOD] == AFTER) & times.between(of_test.min(), of_test.max())).to_numpy()


class Seen(msgspec.Struct, frozen=True):
    """How many rows of the test the champion may have learnt from; null where nobody can tell."""

    rows: int | None
    why: str


def same_interface(champion: Release, challenger: Release) -> bool:
    """Whether this code can score both."""
    return champion.manifest.interface_hash == challenger.manifest.interface_hash


def differences(champion: Release, challenger: Release) -> list[str]:
    """In words, what the interfaces of two releases differ in."""
    before, after = ({spec["name"]: spec for spec in release.read("contract.json")["inputs"]} for release in (champion, challenger))
    rules = [{rule["code"] for rule in release.read("contract.json")["rules"]} for release in (champion, challenger)]
    agreed = ("kind", "level_names", "nullable", "fresh_for", "when_stale")
    changed = [name for name in before.keys() & after.keys() if any(before[name].get(key) != after[name].get(key) for key in agreed)]
    told = {"inputs only the champion has": before.keys() - after.keys(), "inputs only the challenger has": after.keys() - before.keys(),
            "inputs declared otherwise": changed, "rules only the champion has": rules[0] - rules[1],
            "rules only the challenger has": rules[1] - rules[0]}
    found = [f"{what}: {', '.join(sorted(names))}" for what, names in told.items() if names]
    return found or ["a derived feature or a rule is computed otherwise"]


def seen(subject: Subject, champion: Release, challenger: Release) -> tuple[Seen, Any]:
    """What the champion may have learnt from the test, and which rows of the frame that may be."""
    nothing = np.zeros(len(subject.frame), dtype=bool)
    if _split_digest(champion) and _split_digest(champion) == _split_digest(challenger):
        return Seen(0, "both were made on the same split, so neither has seen these outcomes"), nothing
    last = learnt_until(champion)
    if last is None or not subject.portfolio.is_dated:
        return Seen(None, "the champion was made on another split, and its release does not say which applications made it"), subject.tested
    late = subject.tested & (subject.frame[EVENT_TIME] < pd.Timestamp(last, tz="UTC") + pd.Timedelta(days=1)).to_numpy()
    return Seen(int(late.sum()), f"the champion learnt from outcomes of applications to {last.isoformat()}"), late


def measured(subject: Subject, champion: Scorer, challenger: Scorer, seen_rows: Any) -> dict[str, Any]:
    """The measures of both on the test, and on what of it the champion cannot have seen: null where that is all, none, or of one kind."""
    rows = subject.frame[subject.tested]
    said = [(scorer.assess(arrays(subject.portfolio, rows)).pd, scorer.calibrator.shift) for scorer in (champion, challenger)]
    bad, unseen = rows[BAD].to_numpy(dtype=float), ~seen_rows[subject.tested]
    partly = not unseen.all() and measures.has_both(bad[unseen])
    apart = [(pd_[unseen], shift) for pd_, shift in said]
    return {"all": _side_by_side(bad, said, subject.params.confidence),
            "unseen": _side_by_side(bad[unseen], apart, subject.params.confidence) if partly else None}


def swapped(subject: Subject, champion: Scorer, challenger: Scorer) -> dict[str, Any]:
    """The swap set among everyone who applied in the test's period; outcomes are those of the test."""
    rows = subject.frame[subject.applied]
    values = arrays(subject.portfolio, rows)
    bad = rows[BAD].where(subject.tested[subject.applied]).to_numpy(dtype=float)
    pair = Pair(champion.assess(values), challenger.assess(values), bad, challenger.calibrator.shift)
    names = [tuple(band.name for band in scorer.policy.bands) for scorer in (champion, challenger)]
    joined = population.join(rows, subject.vault)
    return {
        "applicants": len(rows), "known": int(np.isfinite(bad).sum()),
        "approval_rate": {who: float(approved.mean()) for who, approved in zip(("champion", "challenger"), pair.approved, strict=True)},
        "cut_offs": {who: {"approve_below": scorer.policy.approve_below, "decline_from": scorer.policy.decline_from}
                     for who, scorer in (("champion", champion), ("challenger", challenger))},
        "sides": swaps.sides(pair), "outcomes": swaps.outcomes(pair), "bands": swaps.bands(pair, *names),
        "attribution": swaps.attribution(pair), "profit": swaps.profits(pair, _amount(subject, rows), subject.profit),
        "amount": subject.portfolio.amount, "groups": swaps.groups(pair, subject.portfolio.protected, joined, subject.params.least),
    }


def compare(subject: Subject, champion: Release, challenger: Release) -> dict[str, Any]:
    """Everything that is found of two releases this code can score."""
    first, second = (decision.load(release, subject.portfolio) for release in (champion, challenger))
    of_test, rows = seen(subject, champion, challenger)
    return {"seen": of_test, "test": measured(subject, first, second, rows), "swap": swapped(subject, first, second)}


def finding(compared: dict[str, Any], champion: Release, challenger: Release, confidence: float) -> ReleaseCompared:
    """What the record keeps of a comparison: of the rows the champion cannot have seen, where those are apart."""
    apart = compared["test"]["unseen"]
    said = apart or compared["test"]["all"]
    gap = said["auc_difference"]
    return ReleaseCompared(
        by=Actor(COMPARE, "process"), at=datetime.now(UTC).isoformat(), challenger=challenger.id, champion=champion.id,
        part="the test that the champion has not seen" if apart else "the test", rows=said["challenger"]["rows"],
        gini_difference=2 * gap["value"], interval=(2 * gap["low"], 2 * gap["high"]), confidence=confidence,
    )


def _side_by_side(bad: Any, said: list[tuple[Any, float]], level: float) -> dict[str, Any]:
    """said: the champion's PDs and its shift to the portfolio's bad rate, then the challenger's."""
    gap, low, high = measures.auc_difference(bad, said[0][0], said[1][0], level)
    champion, challenger = (measures.summary(bad, pd_, shift) for pd_, shift in said)
    return {"champion": champion, "challenger": challenger, "auc_difference": {"value": gap, "low": low, "high": high}}


def _amount(subject: Subject, rows: pd.DataFrame) -> Any:
    """Of each loan asked for, the mean where it is unknown; 1 where the contract names no amount."""
    if subject.portfolio.amount is None:
        return np.ones(len(rows))
    asked = rows[subject.portfolio.amount]
    return asked.fillna(asked.mean()).to_numpy(dtype=float)


def _split_digest(release: Release) -> str:
    return release.manifest.lineage.get(f"data/{release.manifest.portfolio}/{SPLIT}", "")


def learnt_until(release: Release) -> Any:
    """The last day of the applications that made or calibrated a release, where it says so."""
    if PERIODS not in release.manifest.files:
        return None
    periods = release.read(PERIODS, dict[str, Period])
    days = [periods[part].last for part in (DEVELOPMENT, CALIBRATION) if part in periods]
    return max((day for day in days if day), default=None)
