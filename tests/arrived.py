"""A home of card_default for what comes after a decision: decisions of a half year, people who act, and what they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from approved import allow, keep_people
from click.testing import CliRunner
from decided import append, entries

from feature_repo.contract import Outcome
from feature_repo.errors import TallyError
from feature_repo.portfolios import load
from governance.ledger.book import Book, open_book
from governance.ledger.entries import Entry
from governance.release import Release, place
from tally.__main__ import tally

PORTFOLIO = "card_default"
OUTCOME: Outcome = load(PORTFOLIO).outcome
GOOD, BAD = OUTCOME.good[0], OUTCOME.bad[0]
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
WHO: dict[object, str] = {"outcomes": "sina", "vault": "cora"}  # may import
TIMES = [FIRST + timedelta(hours=12 * number) for number in range(300)]  # until the 4th of June


@dataclass(frozen=True)
class Home:
    """A home and what its people run."""

    path: Path
    release: Release
    names: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return self.path / PORTFOLIO

    @property
    def book(self) -> Book:
        return open_book(self.folder / "ledger")

    def run(self, *arguments: object, who: str = "") -> str:
        """Run a command as somebody: by default as whoever may, else as TALLY_ACTOR says."""
        acts = who or WHO.get(arguments[0])
        done = CliRunner().invoke(tally, [str(each) for each in arguments], env={"TALLY_ACTOR": acts} if acts else None)
        if isinstance(done.exception, TallyError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    def file(self, name: str, **columns: object) -> Path:
        """A file of the lender's."""
        path = self.path / name
        frame = pd.DataFrame(columns)
        if path.suffix == ".csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_parquet(path, index=False)
        return path


@pytest.fixture
def make_arrived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_release: Callable[..., Release]) -> Callable[..., Home]:
    """Makes a home whose people act at a moment of business time, with decisions at some times."""

    def make(now: str = "2026-07-01T00:00:00+00:00", times: list[datetime] | None = None) -> Home:
        made = make_release(tmp_path / "made", PORTFOLIO, intercept=-2.0)
        keep_people(tmp_path)
        place(made.path, tmp_path / PORTFOLIO / "releases")
        allow(tmp_path, PORTFOLIO, made.id)
        for name, value in {"TALLY_HOME": str(tmp_path), "TALLY_PORTFOLIO": PORTFOLIO, "TALLY_ACTOR": "olga",
                            "TALLY_BUSINESS_TIME": now}.items():
            monkeypatch.setenv(name, value)
        for name in ("TALLY_LEDGER", "TALLY_SIGNERS", "TALLY_KEY", "TALLY_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        found = entries(made, TIMES if times is None else times)
        append(open_book(tmp_path / PORTFOLIO / "ledger"), found)
        return Home(tmp_path, made, tuple(each.id for each in found))

    return make


def put_in_again(home, kind):
    """Append the first signed event of a kind once more under another id, as whoever can write the database may."""
    append(home.book, [Entry(kind, f"{kind}:copy", next(home.book.records({kind})).body)])
