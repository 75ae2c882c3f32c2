"""A home in which people monitor: a release that serves, its record, and `tally` run there as one of them on some day."""

from __future__ import annotations

import json

import pandas as pd
from approved import allow, keep_people
from arrived import WHO
from click.testing import CliRunner

from feature_repo.contract import BAD
from governance.ledger.book import open_book
from governance.release import place
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
