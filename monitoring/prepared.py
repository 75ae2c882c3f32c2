"""One release's decisions in one window, as assessors are given them: with outcomes as of a moment, overrides, and groups from the vault.

Responsible for what a report stands on: a digest of it, by which a second run knows that nothing changed. Writes to a folder that whoever
asked for it keeps to themselves and removes. Judges nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.contract import APPLICATION_ID, BAD
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EARLY
from governance.events import ParityChecked
from governance.ledger.entries import canonical
from governance.observations import DecisionOverridden
from governance.rules import moment
from monitoring import outcomes, vault, window
from monitoring.assessors import CHECKS, GROUPS, LABELS, OTHERS, OVERRIDES, Assessor, Paths
from monitoring.maturity import DAYS_A_MONTH
from monitoring.outcomes import Outcomes
from monitoring.overrides import CODE, OVERRIDE

KEYS = [window.DECISION_ID, window.DECIDED_AT, window.RELEASE_ID, BAD]


@dataclass(frozen=True)
class Known:
    """What was known at a moment besides decisions. groups: the entries by which protected attributes came; checks: of parity, in order."""

    outcomes: Outcomes
    overrides: Mapping[str, DecisionOverridden]
    groups: tuple[str, ...]
    checks: tuple[ParityChecked, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """The decisions of one release in a window's file, and what was known of them."""

    portfolio: Portfolio
    window: Path
    release: Path
    known: Known

    def basis(self, assessor: Assessor) -> str:
        """What a report stands on, as a digest: the decisions, the release, what else it reads; other reports stand on these themselves."""
        said: dict[str, Any] = {"decisions": digest(self.window), "release": self.release.name, "report": assessor.name}
        reads = {LABELS: self._labels, GROUPS: lambda: self.known.groups, OVERRIDES: self._overrides, CHECKS: self._checked}
        return hashlib.sha256(canonical(said | {name: reads[name]() for name in sorted(assessor.reads - {OTHERS})})).hexdigest()

    def write(self, folder: Path, note: vault.Note, home: Path) -> Paths:
        """The files an assessor may name. home: the live vault's folder; note: puts the read of it into the record."""
        frame = pd.read_parquet(self.window, filters=[(window.RELEASE_ID, "=", self.release.name)])
        joined = outcomes.joined(frame, self.known.outcomes, self.portfolio)
        said = [self.known.overrides.get(name) for name in joined[window.DECISION_ID]]
        joined[OVERRIDE] = pd.Series([one.outcome if one else None for one in said], dtype=object)
        joined[CODE] = pd.Series([one.code if one else None for one in said], dtype=object)
        paths = Paths(folder / self.window.name, self.release, folder, folder / "outcome-record.parquet", folder / "plots",
                      folder / "check.json")
        pq.write_table(pa.Table.from_pandas(joined, self._schema(), preserve_index=False), paths.decisions)
        protected = vault.read(home, joined, self.portfolio, self.known.outcomes.as_of, note)
        texts = pa.schema([(name, pa.string()) for name in protected.columns])
        pq.write_table(pa.Table.from_pandas(protected, texts, preserve_index=False), folder / "protected.parquet")
        pq.write_table(pa.table({APPLICATION_ID: pa.nulls(0, pa.string()), EARLY: pa.nulls(0, pa.float64())}), paths.record)
        paths.check.write_bytes(msgspec.json.encode(self._check()))
        return paths

    def _schema(self) -> pa.Schema:
        """A window's, with what was joined; what the window could not take up is said in it as before."""
        more = [(window.OBSERVED_UNTIL, pa.timestamp("us", tz="UTC")), (window.CONTRADICTED, pa.bool_()), (OVERRIDE, pa.string()),
                (CODE, pa.string())]
        joined = pa.schema([*window.schema(self.portfolio), *(pa.field(name, kind) for name, kind in more)])
        return joined.with_metadata(pq.read_schema(self.window).metadata)

    def _own(self) -> pd.DataFrame:
        return pd.read_parquet(self.window, columns=KEYS, filters=[(window.RELEASE_ID, "=", self.release.name)])

    def _labels(self) -> list[Any]:
        """The outcomes that count, of how many decisions, how old the youngest is in whole months, and how many are contradicted."""
        joined = outcomes.joined(self._own(), self.known.outcomes, self.portfolio)
        matured = joined[joined[BAD].notna()]
        ages = pd.Timestamp(self.known.outcomes.as_of) - joined[window.DECIDED_AT]
        rows = hashlib.sha256(canonical(list(zip(matured[window.DECISION_ID], matured[BAD], strict=True)))).hexdigest()
        return [rows, int((ages >= self.portfolio.outcome.matures_after).sum()), int(ages.min().days // DAYS_A_MONTH),
                int(joined[window.CONTRADICTED].sum())]

    def _check(self) -> ParityChecked | None:
        at = self._own()[window.DECIDED_AT]
        return _nearest(self.known.checks, at.min().to_pydatetime(), at.max().to_pydatetime())

    def _checked(self) -> str:
        return msgspec.json.encode(self._check()).decode()

    def _overrides(self) -> list[Any]:
        ids = set(self._own()[window.DECISION_ID])
        return sorted([name, one.outcome, one.code] for name, one in self.known.overrides.items() if name in ids)


def _nearest(checks: Sequence[ParityChecked], begin: datetime, end: datetime) -> ParityChecked | None:
    """The newest check whose last decision is of a span of time; else the one that shares most of it, of equal ones the newest.

    A check looks back a month and runs every night: the newest that shares any time with a span may be of later decisions but for a few.
    """
    spans = [(first, last, check) for check in checks if (first := moment(check.first)) and (last := moment(check.last))]
    ended = [check for _, last, check in spans if begin <= last <= end]
    sharing = [(min(last, end) - max(first, begin), check) for first, last, check in spans if first <= end and last >= begin]
    most = max((shared for shared, _ in sharing), default=None)
    return ended[-1] if ended else next((check for shared, check in reversed(sharing) if shared == most), None)


def releases(path: Path) -> list[str]:
    """The releases that made a window's decisions."""
    return sorted(set(pq.read_table(path, columns=[window.RELEASE_ID])[window.RELEASE_ID].unique().to_pylist()))


def digest(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
