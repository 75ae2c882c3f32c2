"""A home in which people monitor: a release that serves, its record, and `tally` run there as one of them on some day."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from approved import allow, keep_people
from arrived import WHO
from borrowers import brought
from click.testing import CliRunner
from decided import append
from decided import scored as recorded

from feature_repo.contract import BAD
from governance.ledger.book import open_book
from governance.release import place, verify
from monitoring import scored
from serving.scoring import decision
from tally.__main__ import tally


class Home:
    """The mill's home, and what its people run in it."""

    def __init__(self, path, mill, decided, monkeypatch):
        self.path, self.mill, (self.release, self.frame), self.patch = path, mill, decided, monkeypatch
        keep_people(path)
        place(self.release.path, path / mill.name / "releases")
        allow(path, mill.name, self.release.id)

    @property
    def book(self):
        return open_book(self.path / self.mill.name / "ledger")

    @property
    def reports(self):
        return self.path / "reports" / self.mill.name

    def run(self, *arguments, now="2024-01-01T00:00:00+00:00", who=None):
        self.patch.setenv("TALLY_BUSINESS_TIME", now)
        self.patch.setenv("TALLY_ACTOR", who or WHO.get(arguments[0], "olga"))
        done = CliRunner().invoke(tally, [str(each) for each in arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.stdout

    def report(self, window, name):
        return json.loads((self.reports / "monitoring" / window / self.release.id[:12] / f"{name}.json").read_bytes())

    def files(self):
        return {path.relative_to(self.reports).as_posix(): path.read_bytes() for path in self.reports.rglob("*") if path.is_file()}

    def outcomes(self, name, rows, seen, now):
        text = {1.0: self.mill.outcome.bad[0], 0.0: self.mill.outcome.good[0]}
        path = self.path / name
        pd.DataFrame({"decision_id": rows["decision_id"], "outcome": rows[BAD].map(text), "observed_at": seen}).to_csv(path, index=False)
        return self.run("outcomes", "import", path, now=now)


def times(first, last, number):
    return pd.date_range(first, last, periods=number, tz="UTC")


@pytest.fixture(scope="session")
def decided_in_2023(mill, mill_model, borrow):
    """A release of the mill and what it decided from January to April 2023, none of it in March."""
    release = verify(mill_model.release)
    frame = scored.decisions(borrow(mill, 9_000, seed=4).head(1_500), decision.load(release, mill), release)
    winter, spring = times("2023-01-02", "2023-02-27", 1_200), times("2023-04-02", "2023-04-20", 300)
    return release, frame.assign(decided_at=winter.append(spring))


@pytest.fixture
def home_of_2023(tmp_path, mill, mill_model, decided_in_2023, monkeypatch):
    """A home with these decisions in its record; the working directory is in it and holds params.yaml."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"TALLY_HOME": str(tmp_path), "TALLY_PORTFOLIO": mill.name}.items():
        monkeypatch.setenv(name, value)
    for name in ("TALLY_LEDGER", "TALLY_SIGNERS", "TALLY_KEY", "TALLY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    shutil.copy(mill_model.evaluate.parent / "params.yaml", tmp_path)
    with brought():
        home = Home(tmp_path, mill, decided_in_2023, monkeypatch)
        append(home.book, recorded(home.frame, mill, home.release))
        yield home
