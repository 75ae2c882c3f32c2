"""A real file as our own reading has it, and the README that says what must be found in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from feature_repo.portfolios import load
from training import raw, tables, vault


@dataclass(frozen=True)
class Real:
    """written: every column a text; translated: the columns of ingest; protected: the groups of the vault."""

    name: str
    folder: Path

    @cached_property
    def _read(self):
        portfolio = load(self.name)
        table = portfolio.applications
        path = self.folder / table.file
        raw.require_digest(table, path)
        read = raw.read(table, path)
        translated = tables.translate(portfolio, table, read)
        return read.to_pandas(), translated.to_pandas(), vault.protect(portfolio, read, translated).to_pandas()

    @property
    def written(self) -> pd.DataFrame:
        return self._read[0]

    @property
    def translated(self) -> pd.DataFrame:
        return self._read[1]

    @property
    def protected(self) -> pd.DataFrame:
        return self._read[2]

    def column(self, header: str) -> pd.Series:
        """The translated input that is read from a raw header."""
        (name,) = (each.name for each in load(self.name).raw_inputs if each.raw == header)
        return self.translated[name]

    @cached_property
    def readme(self) -> str:
        return " ".join((self.folder / "README.md").read_text().replace("**", "").replace("`", "").split())

    def section(self, title: str) -> str:
        """The README's text under a heading, up to the next one."""
        return self.readme.split(f"## {title}")[1].split(" ## ")[0]

    def states(self, *figures: str) -> None:
        """Each figure stands in the README as it is written here."""
        assert [figure for figure in figures if figure not in self.readme] == []
