"""Where things are in a checkout: the portfolio in params.yaml, its stage outputs, its running services."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from feature_repo.errors import DataError
from feature_repo.params import PARAMS, read
from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load
from governance.ledger.book import Book, open_book


@dataclass(frozen=True)
class Checkout:
    """The folders of one portfolio. home holds every running service's state."""

    portfolio: Portfolio
    home: Path

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def services(self) -> Path:
        return self.home / self.portfolio.name

    @property
    def online(self) -> Path:
        return self.services / "feast"

    @property
    def pointer(self) -> Path:
        return self.services / "champion.json"

    @property
    def ledger(self) -> Path:
        return self.services / "ledger"

    @property
    def book(self) -> Book:
        """The record, wherever TALLY_LEDGER says it is."""
        return open_book(self.ledger, os.environ.get("TALLY_LEDGER"))

    @property
    def signers(self) -> Path:
        """Who may act: the file that TALLY_SIGNERS names, else the home's own."""
        return Path(os.environ.get("TALLY_SIGNERS") or self.home / "signers.yaml")

    @property
    def reports(self) -> Path:
        return Path("reports").resolve()

    def data(self, *parts: str) -> Path:
        """A stage's output, which must be there."""
        path = Path("data", self.portfolio.name, *parts).resolve()
        if not path.exists():
            raise DataError(f"{path.relative_to(Path.cwd())} is not there; run: dvc repro")
        return path


def here() -> Checkout:
    """The checkout of the working directory. `TALLY_PORTFOLIO` and `TALLY_HOME` win over params.yaml and `var/`."""
    name = os.environ.get("TALLY_PORTFOLIO") or read("portfolio", str, PARAMS)
    return Checkout(load(name), Path(os.environ.get("TALLY_HOME", "var")).resolve())
