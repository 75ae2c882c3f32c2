"""Read raw files, and what was pushed, into the platform's columns, the protected ones into the vault. Judges nothing; validate does."""

from __future__ import annotations

import importlib
from pathlib import Path

import msgspec
from tqdm import tqdm

from feature_repo import params, portfolios
from feature_repo.errors import run_stage
from governance.release import dump
from training import pushes, raw, repeats, simulated, standing, tables, vault


class Ingest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `ingest` of params.yaml: the size and seed of a simulated portfolio."""

    rows: int
    seed: int


def main(portfolio: str, ingest: Path, protected: Path) -> None:
    declared, settings = portfolios.load(portfolio), params.read("ingest", Ingest)
    if declared.simulator:
        simulated.ensure(declared, importlib.import_module(declared.simulator), settings.rows, settings.seed)
    for folder in (ingest, protected):
        folder.mkdir(parents=True, exist_ok=True)
    seen = {}
    for table in tqdm(declared.tables, desc="ingest", unit="table", disable=None):
        path = raw.find(declared, table)
        read = raw.read(table, path)
        translated = tables.translate(declared, table, read)
        tables.write(translated, ingest / f"{table.name}.parquet")
        seen[table.name] = tables.describe(translated, tables.undeclared(declared, table, read), raw.digest(path))
        if table is declared.applications:
            seen[table.name]["repeats"] = repeats.describe(table, read, path)
            tables.write(vault.protect(declared, read, translated), protected / vault.FILE)
            tables.write(standing.of(declared, read, translated), ingest / standing.FILE)
    pushes.copy(declared, ingest)
    (ingest / "ingest.json").write_bytes(dump({"tables": seen}))


if __name__ == "__main__":
    run_stage(main)
