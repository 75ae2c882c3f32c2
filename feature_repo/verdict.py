"""What validation found: which promise of the contract was broken, by how many rows. Never by what value."""

from __future__ import annotations

import msgspec


class Broken(msgspec.Struct, frozen=True):
    """A broken promise: `count` of the `of` rows of a table. column is empty where the promise is about the table itself.

    allowed: what the contract or params.yaml allows; seen: what was measured. Both are words for a reader, empty where count says it all.
    """

    table: str
    column: str
    rule: str
    count: int
    of: int
    allowed: str = ""
    seen: str = ""

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        return f"{place} {self.rule} ({self.count} of {self.of})"


class Verdict(msgspec.Struct, frozen=True):
    """verdict.json. checks: how many expectations were evaluated; suite: SHA-256 of all that was expected; rows: per table.

    Equal data, contract and params give an equal verdict: no clock and no version is in it.
    """

    success: bool
    checks: int
    failures: tuple[Broken, ...]
    warnings: tuple[Broken, ...]
    suite: str
    rows: dict[str, int]
