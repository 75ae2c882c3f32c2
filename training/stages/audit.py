"""Hold the parts against what must be true before a model is trusted: overlap, times, proxies. What must stop ends the run here."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pandas as pd

from feature_repo.errors import DataError, run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from feature_repo.verdict import Verdict
from governance.release import dump
from training import audit, proxies, vault
from training.splits import DEVELOPMENT, PART, PERIOD, align


def main(portfolio: str, assemble: Path, split: Path, featurize: Path, verdict: Path, protected: Path, audited: Path) -> None:  # noqa: PLR0913, PLR0917 - its paths
    declared, params = load(portfolio), read("audit", audit.AuditParams)
    frame = pd.read_parquet(assemble / "applications.parquet")
    parts = align(frame, pd.read_parquet(split / "parts.parquet"))
    told = proxies.measure(declared, frame[(parts[PERIOD] == DEVELOPMENT).to_numpy()], pd.read_parquet(protected / vault.FILE),
                           params.proxies)
    validated = msgspec.json.decode(verdict.read_bytes(), type=Verdict)
    found = audit.of(declared, frame.assign(**{PART: parts[PART].to_numpy()}), featurize / "views",
                     audit.Evidence(audit.of_alone(validated.failures, validated.warnings), told), params)
    audited.mkdir(parents=True, exist_ok=True)
    (audited / "audit.json").write_bytes(dump(found))
    stops = [each.words for each in found.findings if each.severity == "stop"]
    if stops:
        raise DataError(f"{portfolio}: {'; '.join(stops)}; see {audited / 'audit.json'}")
    print(f"{portfolio}: the parts may make and judge a model", *(each.words for each in found.findings), sep="\n")
    if not declared.protected:
        print("no protected attribute is declared: that the inputs tell no group is not known")


if __name__ == "__main__":
    run_stage(main)
