"""What each gate finds in a release: one function a gate, from its evidence and its limits to a word and a sentence.

Responsible for reading only what it judges by, strictly. A figure that is missing, null or not a number raises, and `governance.gates`
makes that "not passed"; every comparison is written so that NaN does not pass. Knows no clock, no registry and no person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from governance import gate_settings as settings
from governance.events import ColumnParity, ParityChecked, ReleaseCompared
from governance.exact import holm
from governance.gate_files import Baseline, Calibrated, Contract, Faithful, Measured, Proof, Stable, Validation
from governance.limits import Verdict
from governance.release import Release

TEST = "test"
STORED = "stored"
DIRECTIONS = {1: "rises", -1: "falls"}
PASSING = {"ok": (Verdict.OK,), "watch": (Verdict.OK, Verdict.WATCH)}
MOST_NAMED = 6


class Said(NamedTuple):
    """passed, and in words what was found."""

    passed: bool
    found: str


def passes(found: str) -> Said:
    return Said(passed=True, found=found)


def fails(found: str) -> Said:
    return Said(passed=False, found=found)


class Decided(NamedTuple):
    """Whether any decision is recorded yet, and the newest check of the vectors decisions were made on."""

    ever: bool
    checked: ParityChecked | None


NOTHING_DECIDED = Decided(ever=False, checked=None)


@dataclass(frozen=True)
class Case:
    """What is judged: a release, what a comparison with the champion found (None: nothing), the champion's id (empty: none) and when.

    decided: what the record knows of decisions until then.
    """

    release: Release
    compared: ReleaseCompared | None
    champion: str
    at: datetime
    decided: Decided = NOTHING_DECIDED

    @property
    def dated(self) -> bool:
        """Whether the test is later than what the model was made of."""
        return bool(self.release.read("contract.json", Contract).dated)


def data(case: Case, limits: settings.Data) -> Said:  # noqa: ARG001 - every gate is given its limits
    """The Great Expectations verdict the release was made under."""
    verdict = msgspec.convert(case.release.manifest.validation, Validation)
    warnings = f"{len(verdict.warnings)} warnings" if verdict.warnings else "no warning"
    return Said(verdict.success is True, f"the data {'kept' if verdict.success else 'broke'} the promises that stop a run, {warnings}")


def discrimination(case: Case, limits: settings.Discrimination) -> Said:
    """The Gini on the test, out of time where the portfolio has a time axis."""
    test = case.release.read("measures.json", Measured).test
    where = "out of time" if case.dated else "on a test drawn by chance, for there is no time axis"
    enough = min(test.bads, test.rows - test.bads) >= limits.minimum_bad
    short = "" if enough else f"; fewer than {limits.minimum_bad} bad or good outcomes"
    return Said(enough and test.gini_low <= test.gini and test.gini_low >= limits.gini,
                f"Gini {test.gini:.3f} ({test.gini_low:.3f} to {test.gini_high:.3f}) {where}, {test.rows:,} outcomes, {test.bads:,} of "
                f"them bad{short}")


def champion(case: Case, limits: settings.Champion) -> Said:
    """The challenger's Gini less the champion's, on the same rows, as the record has it."""
    if not case.champion:
        return passes("nothing serves yet, so there is nothing to be worse than")
    if case.champion == case.release.id:
        return passes("this is the release that serves")
    seen = case.compared
    if seen is None or (seen.challenger, seen.champion) != (case.release.id, case.champion):
        return fails(f"no evidence: the record holds no comparison with {case.champion[:12]}, which serves. Run dvc repro compare; where "
                     "this code cannot score the champion, there can be none")
    low, high = seen.interval
    whole = seen.rows > 0 and low <= seen.gini_difference <= high and seen.confidence >= limits.confidence
    return Said(whole and low >= -limits.gini_loss,
                f"Gini {seen.gini_difference:+.3f} against {case.champion[:12]} ({low:+.3f} to {high:+.3f} at {seen.confidence:.0%}) on "
                f"{seen.rows:,} outcomes of {seen.part}")


def calibration(case: Case, limits: settings.Calibration) -> Said:
    """Whether the PDs are too low, of all and of a band, and too far apart or too near."""
    test = case.release.read("calibration.json", Calibrated).parts[TEST]
    whole, slope = test.whole, test.recalibration.slope
    ece = case.release.read("measures.json", Measured).test.ece
    if whole.rows < limits.minimum_outcomes or min(whole.bads, whole.rows - whole.bads) < limits.minimum_bad:
        return fails(f"no verdict: {whole.rows:,} outcomes, {whole.bads:,} bad, are too few")
    told = [band for band in test.bands if not band.rows < limits.minimum_outcomes]
    adjusted = holm([band.jeffreys for band in told])
    low = [band for band, p in zip(told, adjusted, strict=True) if not (band.excess <= limits.band_excess or p >= limits.p_value)]
    level = whole.excess <= limits.excess or whole.jeffreys >= limits.p_value
    bands = f"; too low in band {', '.join(f'{band.name} ({band.excess:+.0%})' for band in low)}" if low else ""
    return Said(level and not low and limits.slope.low <= slope.value <= limits.slope.high,
                f"bad outcomes {whole.excess:+.1%} against the PDs (Jeffreys p {whole.jeffreys:.3f}){bands}; slope {slope.value:.2f} "
                f"({slope.low:.2f} to {slope.high:.2f}); expected calibration error {ece:.4f}, {whole.rows:,} outcomes")


def monotonicity(case: Case, limits: settings.Monotonicity) -> Said:  # noqa: ARG001 - every gate is given its limits
    """The proof of the model in the release, against the directions of the contract in it."""
    declared = {each.name: DIRECTIONS[each.risk] for each in case.release.read("contract.json", Contract).inputs if each.risk}
    proof = case.release.read("monotonicity.json", dict[str, Proof])[case.release.manifest.model]
    proved = {each.input: each.direction for each in proof.inputs}
    missing = sorted(name for name, direction in declared.items() if proved.get(name) != direction)
    if missing:
        return fails(f"not proved: {', '.join(missing[:MOST_NAMED])}")
    return Said(proof.holds is True, f"{len(declared)} directions proved by {proof.comparisons:,} comparisons" if declared
                else "the contract declares no direction")


def reasons(case: Case, limits: settings.Reasons) -> Said:
    """A text for every input and rule, and none that says nothing."""
    contract = case.release.read("contract.json", Contract)
    baseline = case.release.read("reasons.json", Baseline).baseline
    texts = {**{each.name: each.reason for each in contract.inputs}, **{each.code: each.reason for each in contract.rules}}
    without = [name for name, text in texts.items() if not text.strip()]
    empty = [name for name, text in texts.items() if banned(text, limits.banned)]
    told = [f"{what}: {', '.join(names[:MOST_NAMED])}" for what, names in (("no reason", without), ("says nothing", empty)) if names]
    wrong = told if len(baseline) == len(contract.inputs) else [*told, "the baseline is of other inputs"]
    return Said(not wrong and bool(contract.inputs),
                "; ".join(wrong) or f"{len(contract.inputs)} inputs and {len(contract.rules)} rules, each with a reason")


def banned(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether a text contains a phrase at the beginning of a word, whatever the case and spacing."""
    plain = " ".join(text.casefold().split())
    return any(re.search(rf"\b{re.escape(phrase.casefold())}", plain) for phrase in phrases)


def fidelity(case: Case, limits: settings.Fidelity) -> Said:
    """Whether the reasons given are what would have helped."""
    found = case.release.read("fidelity.json", Faithful)
    if found.cases < limits.cases:
        return fails(f"no verdict: {found.cases:,} named reasons of {found.applications:,} applications are too few")
    ahead = f", and more than an unnamed one in {found.ahead / found.pairs:.1%} of pairs" if found.pairs else ""
    return Said(found.helped <= found.cases and found.helped >= limits.helps * found.cases,
                f"moved to the baseline, {found.helped / found.cases:.1%} of {found.cases:,} named reasons lower the PD{ahead}")


def stability(case: Case, limits: settings.Stability) -> Said:
    """What stability.json says of the scores' population, and of the Gini, out of time."""
    found = case.release.read("stability.json", Stable)
    if not found.out_of_time:
        return fails("no evidence: there is no time axis, so nothing tells whether it lasts")
    scores = [each for each in found.results if each.column in {"score", "pd"}]
    named = ", ".join(f"PSI of {each.column} {each.psi:.3f} ({each.verdict})" for each in scores)
    passed = len(scores) == 2 and all(each.verdict in PASSING[limits.scores] for each in scores)
    return Said(passed and found.gini_verdict in PASSING[limits.gini], f"{named}; {found.found[-1]}")


def parity(case: Case, limits: settings.Parity) -> Said:
    """Whether what the online store had for decisions is what training would be told of those moments, as the record has it."""
    wanted = {each.name for each in case.release.read("contract.json", Contract).inputs if each.kind == STORED}
    ever, seen = case.decided
    if not wanted:
        return passes("the contract has no stored column")
    if not ever:
        return passes("nothing has been decided yet, so there is nothing to compare")
    if seen is None:
        return fails("no evidence: decisions were made and no check is recorded; run tally parity")
    age = case.at - datetime.fromisoformat(seen.at)
    late = f"; it is {age.days} days old: run tally parity" if not timedelta(0) <= age <= timedelta(days=limits.days) else ""
    found = {each.column: each for each in seen.columns}
    few = f"; fewer than {limits.minimum}" if seen.decisions < limits.minimum else ""
    missing = sorted(wanted - found.keys())
    unknown = f"; not compared: {', '.join(missing[:MOST_NAMED])}" if missing else ""
    apart = [each for each in found.values() if not _within(each, seen, limits)]
    named = ", ".join(f"{each.column} in {each.mismatched:,} (at most {each.upper:.1%})" for each in apart[:MOST_NAMED])
    told = f"other values online than offline: {named}" if apart else f"{len(found)} columns are the same online and offline"
    whole = seen.confidence >= limits.confidence
    return Said(whole and not (late or few or missing or apart), f"{told}, of {seen.decisions:,} decisions{few}{unknown}{late}")


def _within(each: ColumnParity, seen: ParityChecked, limits: settings.Parity) -> bool:
    counted = 0 <= each.mismatched <= each.compared <= seen.decisions and each.compared >= limits.minimum
    return counted and each.mismatched <= each.upper * each.compared and each.upper <= limits.mismatch
