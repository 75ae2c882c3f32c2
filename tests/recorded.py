"""Fixture: the home of a portfolio with a record of two months: two releases, each asked for, approved, promoted, placed, served and used.

Release A serves from February 2024. On 10 March B does, whose reason texts, cut-offs and PDs are others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
from approved import PASSED, Book, approved, asked, by, key, people, person, placed, promoted, registered, unsigned
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load
from governance import enrolment, events, release, signature
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, Entry, canonical
from governance.ledger.writer import Ledger
from governance.release import Release
from serving.scoring import decision
from tally.questions import Questions

PORTFOLIO = "card_default"
DATA = {"data/card_default/ingest": "aa11"}
FEBRUARY, MARCH = datetime(2024, 2, 1, 9, tzinfo=UTC), datetime(2024, 3, 10, 9, tzinfo=UTC)
EACH = 60


@dataclass
class Recorded:
    """A home with its record. decided: decision ids by the release that made them; now: what its clock shows."""

    home: Path
    a: Release
    b: Release
    decided: dict[str, list[str]]
    now: datetime

    @property
    def questions(self) -> Questions:
        return Questions(self.home, PORTFOLIO)

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def other(made: Release, path: Path, portfolio: Portfolio) -> Release:
    """A release whose texts, cut-offs and PDs are others."""
    scorer = decision.load(made, portfolio)
    policy = msgspec.structs.replace(scorer.policy, approve_below=0.10, decline_from=0.30)
    changed = replace(scorer, policy=policy, calibrator=msgspec.structs.replace(scorer.calibrator, intercept=0.3))
    path.mkdir()
    decision.save(changed, path)
    contract = msgspec.json.decode((path / "contract.json").read_bytes())
    for spec in contract["inputs"]:
        spec["reason"] = f"In other words: {spec['reason']}"
    (path / "contract.json").write_bytes(release.dump(contract))
    golden = msgspec.json.decode((made.path / "golden.json").read_bytes())
    draft = replace(changed, texts=msgspec.structs.replace(changed.texts, inputs=tuple(contract["inputs"])))
    for question in golden:
        question["decision"] = msgspec.to_builtins(draft.decide(question["values"]))
    (path / "golden.json").write_bytes(release.dump(golden))
    return release.seal(path, portfolio, model="scorecard", validation={"success": True, "warnings": []}, lineage={})


def decisions(made: Release, number: int, seed: int) -> list[Entry]:
    """Entries of decisions on drawn applicants, as the service writes them; every tenth in doubt."""
    portfolio, random = load(PORTFOLIO), np.random.default_rng(seed)
    scorer, found = decision.load(made, portfolio), []
    for place in range(number):
        values = {column.name: float(column.low + random.random() * (column.high - column.low)) for column in portfolio.raw_inputs}
        doubtful = [portfolio.stored[0].name] if place % 10 == 0 else []
        decided = scorer.decide({**values, **dict.fromkeys(doubtful)}, tuple(doubtful))
        name = f"0190{seed:04x}-0000-7000-8000-{place:012x}"
        found.append(Entry(DECISION, name, canonical({
            "decision_id": name, "portfolio": PORTFOLIO, "release_id": made.id, "model_version": "1", "applicant_id": f"person {place}",
            "application": {}, "stored": {}, "doubtful": doubtful, **msgspec.structs.asdict(decided),
            "decided_at": "2024-01-01T00:00:00.000+00:00"})))
    return found


def background(made: Release, version: str) -> list[events.Event]:
    said = msgspec.structs.replace(registered(made.id, version=version), data=DATA, commit="c0ffee" * 6, run_id="run-1")
    checked = events.DataValidated(by=unsigned("validate"), at="", suite="5" * 64, success=True, checks=40, warnings=1, data=DATA)
    return [checked, said] if version == "1" else [said]


def serving(made: Release, request: str, version: str) -> list[events.Event]:
    return [asked(request, made.id, by("olga"), PASSED, version), approved(request, made.id, by("anna")),
            promoted(request, made.id, unsigned(), PASSED, version), placed(made.id),
            *(events.ReleaseSwapped(by=unsigned(worker), at="", worker=worker, release_id=made.id, version=version, replaces="")
              for worker in ("worker-1", "worker-2"))]


def entries(said: list[events.Event]) -> list[Entry]:
    """Signed, as entries of the ledger."""
    book = Book()
    for place, event in enumerate(said):
        if type(event) in events.NAMES and type(event).__name__ in {"DataValidated", "ReleasePlaced", "ReleaseSwapped", "PersonErased"}:
            book.put(event, f"{place}:{getattr(event, 'release_id', '')[:8]}:{getattr(event, 'worker', '')}")
        else:
            book.say([event])
    return [Entry(record.kind, record.id, record.body) for record in book.records]


def write(ledger: Ledger, found: list[Entry]) -> None:
    for entry in found:
        ledger.append([entry]).result(30)


def sign(home: Path, made: Sequence[Release]) -> None:
    """Ada's signature beside each release, as the watch places it."""
    private = key("ada").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = home / "keys" / "ada.pem"
    path.parent.mkdir(mode=0o700)
    path.write_bytes(private)
    path.chmod(0o600)
    author = enrolment.Signer(person("ada", ("author",)), path)
    for each in made:
        (home / PORTFOLIO / "releases" / f"{each.id}.sig").write_bytes(signature.sign(each, author))


def record(home: Path, made: Callable[..., Release]) -> Recorded:
    """Write it."""
    a = made(home / "made-a", PORTFOLIO, intercept=-2.0)
    b = other(a, home / "made-b", load(PORTFOLIO))
    for each in (a, b):
        release.place(each.path, home / PORTFOLIO / "releases")
    sign(home, (a, b))
    (home / "signers.yaml").write_text("".join(enrolment.as_yaml(one) for one in people()))
    found = Recorded(home, a, b, {}, FEBRUARY)
    ledger = Ledger(open_book(home / PORTFOLIO / "ledger"), found.clock)
    for made_with, version, start in ((a, "1", FEBRUARY), (b, "2", MARCH)):
        found.now = start
        write(ledger, entries([*background(made_with, version), *serving(made_with, f"request-{version}", version)]))
        made_decisions = decisions(made_with, EACH, int(version))
        found.decided[made_with.id] = [entry.id for entry in made_decisions]
        ledger.append(made_decisions).result(30)
    ledger.close()
    return found


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, make_release: Callable[..., Release]) -> Recorded:
    """A home with its record, which no test changes."""
    return record(tmp_path_factory.mktemp("recorded"), make_release)


@pytest.fixture
def make_recorded(tmp_path_factory: pytest.TempPathFactory, make_release: Callable[..., Release]) -> Callable[[], Recorded]:
    """Makes a home with such a record that a test may change."""
    return lambda: record(tmp_path_factory.mktemp("recorded"), make_release)
