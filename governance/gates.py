"""The gates: a release's own evidence against the limits frozen in it, one finding a gate.

Responsible for the list of gates, its order and its completeness. Pure: the same release, comparison, champion and moment give the same
findings. Refuses to skip: a gate without evidence, with evidence that cannot be read, or with settings this version does not know is not
passed, and so is every gate of a release that carries none. Counts no signatures: those are `governance.promotion`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from feature_repo.errors import LedgerError, TallyError
from governance import gate_evidence, gate_fairness, gate_settings, packs
from governance.events import NAMES, GateFinding, ParityChecked, ReleaseCompared, of
from governance.gate_evidence import NOTHING_DECIDED, Case, Decided, Said, fails
from governance.gate_settings import FILE, PACKS
from governance.ledger.book import Book
from governance.ledger.entries import DECISION, Record
from governance.release import Release
from governance.standing import PEOPLE

AGAIN = "the release was made before gates were frozen into it: run evaluate again (dvc repro), which makes a new release"
UNREADABLE = (TallyError, OSError, msgspec.MsgspecError, LookupError, TypeError, ValueError, ArithmeticError)
Frozen = dict[str, msgspec.Raw]


class Gate(NamedTuple):
    """A gate's limits, what looks at its evidence, and where it comes from."""

    limits: Any
    find: Callable[[Case, Any], Said]
    source: str


GATES = {
    "data": Gate(gate_settings.Data, gate_evidence.data, "house rule: what the contract promises of the data"),
    "discrimination": Gate(gate_settings.Discrimination, gate_evidence.discrimination,
                           "house limit; the figure and its interval: ECB instructions for validation reporting (2019), 2.5"),
    "champion": Gate(gate_settings.Champion, gate_evidence.champion, "house limit; interval of DeLong et al. (1988)"),
    "calibration": Gate(gate_settings.Calibration, gate_evidence.calibration,
                        "house limits; the test: ECB instructions for validation reporting (2019), 2.5.3.1"),
    "monotonicity": Gate(gate_settings.Monotonicity, gate_evidence.monotonicity, "house rule: the contract's own promises"),
    "reasons": Gate(gate_settings.Reasons, gate_evidence.reasons, "12 CFR 1002.9(b)(2) (Regulation B, United States)"),
    "fidelity": Gate(gate_settings.Fidelity, gate_evidence.fidelity,
                     "house limit; 12 CFR 1002.9, official comment 9(b)(2)-2 and -4 (United States): reasons are of factors really scored"),
    "stability": Gate(gate_settings.Stability, gate_evidence.stability,
                      "PSI: industry practice, no rule, Siddiqi (2006); Gini: house limit"),
    "parity": Gate(gate_settings.Parity, gate_evidence.parity, "house limit; the bound: Clopper and Pearson (1934)"),
}
AFTER = "reasons"  # fairness is told before it
FAIRNESS, SIGNED = "fairness", "people"
HOUSE = "house rule: whoever made a model, asks for it and agrees are not one person"


def judge(release: Release, compared: ReleaseCompared | None, champion: str, at: datetime,
          decided: Decided = NOTHING_DECIDED) -> tuple[GateFinding, ...]:
    """What every gate says of a release at a moment.

    compared: the comparison with the champion that the record holds, or None; champion: the release that serves, empty where none does;
    decided: what the record knows of decisions.
    """
    case, made_with = Case(release, compared, champion, at, decided), _frozen(release)
    found = []
    for name, gate in GATES.items():
        if name == AFTER:
            found += _fairness(case, made_with)
        found.append(_finding(name, gate, case, made_with))
    unknown = sorted(made_with.keys() - GATES.keys() - {FAIRNESS, SIGNED, PACKS}) if made_with else []
    found += [GateFinding(name, passed=False, found="no evidence: this version knows no such gate", allowed="gates this version knows")
              for name in unknown]
    return (*found, _people(made_with))


def comparison(records: Iterable[Record], release_id: str, champion: str) -> ReleaseCompared | None:
    """The newest comparison of a release with a champion among records that can be read; None where there is none."""
    found = None
    for record in records:
        with suppress(LedgerError):
            event = of(record) if record.kind == NAMES[ReleaseCompared] else None
            if isinstance(event, ReleaseCompared) and (event.challenger, event.champion) == (release_id, champion):
                found = event
    return found


def decided(book: Book, checked: ParityChecked | None) -> Decided:
    """What a ledger knows of decisions, with the newest check of their vectors."""
    return Decided(next(book.records({DECISION}), None) is not None, checked)


def checked(records: Iterable[Record]) -> ParityChecked | None:
    """The newest check of parity among records that can be read; None where there is none."""
    found = None
    for record in records:
        with suppress(LedgerError):
            event = of(record) if record.kind == NAMES[ParityChecked] else None
            found = event if isinstance(event, ParityChecked) else found
    return found


def failed(findings: tuple[GateFinding, ...]) -> tuple[str, ...]:
    """The gates that do not let a release through, by name."""
    return tuple(finding.gate for finding in findings if not finding.passed)


def _frozen(release: Release) -> Frozen | None:
    """What the release was made with; None where that cannot be read."""
    if FILE not in release.manifest.files:
        return None
    try:
        found: Frozen = release.read(FILE, Frozen)
    except UNREADABLE:
        return None
    return found


def _finding(name: str, gate: Gate, case: Case, frozen: Frozen | None) -> GateFinding:
    if frozen is None:
        return GateFinding(name, passed=False, found=AGAIN, allowed="limits frozen in the release", source=gate.source)
    try:
        limits = msgspec.json.decode(frozen[name], type=gate.limits)
    except UNREADABLE as error:
        return GateFinding(name, passed=False, found=f"no limits: {_why(error)}", allowed="limits this version knows", source=gate.source)
    try:
        said = gate.find(case, limits)
    except UNREADABLE as error:
        said = fails(f"no evidence: {_why(error)}")
    return GateFinding(name, said.passed is True, said.found, limits.allowed, gate.source)


def _fairness(case: Case, frozen: Frozen | None) -> list[GateFinding]:
    """One finding a policy pack; one for all where they cannot be told apart."""
    if frozen is None:
        return [GateFinding(FAIRNESS, passed=False, found=AGAIN, allowed="policy packs frozen in the release")]
    try:
        limits = msgspec.json.decode(frozen[FAIRNESS], type=gate_settings.Fairness)
        known = msgspec.json.decode(frozen[PACKS], type=dict[str, msgspec.Raw])
    except UNREADABLE as error:
        return [GateFinding(FAIRNESS, passed=False, found=f"no limits: {_why(error)}", allowed="policy packs this version knows")]
    return [_pack(name, known, case) for name in limits.packs]


def _pack(name: str, known: dict[str, msgspec.Raw], case: Case) -> GateFinding:
    gate = f"{FAIRNESS}-{name}"
    try:
        pack = packs.in_force(name, msgspec.json.decode(known[name], type=packs.Dated), case.at.astimezone(UTC).date())
    except UNREADABLE as error:
        return GateFinding(gate, passed=False, found=f"no limits: {_why(error)}", allowed="a policy pack in force")
    try:
        said = gate_fairness.found(case.release, pack)
    except UNREADABLE as error:
        said = fails(f"no evidence: {_why(error)}")
    return GateFinding(gate, said.passed is True, said.found, gate_fairness.allowed(pack), gate_fairness.source(pack))


def _people(frozen: Frozen | None) -> GateFinding:
    """Whether the record asks for as many people as the release does; that they have signed is the record's to say, and no gate's."""
    allowed = f"as many people as the record counts, {PEOPLE}"
    try:
        wanted = msgspec.json.decode((frozen or {})[SIGNED], type=int)
    except UNREADABLE as error:
        found = AGAIN if frozen is None else f"no limits: {_why(error)}"
        return GateFinding(SIGNED, passed=False, found=found, allowed=allowed, source=HOUSE)
    found = f"{wanted} people must sign, none of them its author; the record counts them and lets nothing serve before"
    return GateFinding(SIGNED, wanted == PEOPLE, found, allowed, HOUSE)


def _why(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, FileNotFoundError):
        return f"the release holds no {error.filename.rsplit('/', 1)[-1]}"
    said = " ".join(str(error).split())
    return f"{said} is missing" if isinstance(error, KeyError) else said
