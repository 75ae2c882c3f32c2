"""Compare the challenger with what serves by the record, fetched from the registry and verified, and record what was found."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.release import Release, dump, verify
from governance.standing import Promotion
from training import comparison, comparison_report, documents, recorded, vault
from training.comparison import Compare, Subject
from training.params import EvaluateParams
from training.splits import align


def main(portfolio: str, assemble: Path, split: Path, protected: Path, release: Path, card: Path,  # noqa: PLR0913, PLR0917 - its paths
         figures: Path, page: Path, plots: Path) -> None:
    frame = pd.read_parquet(assemble / "applications.parquet")
    subject = Subject(load(portfolio), frame, align(frame, pd.read_parquet(split / "parts.parquet")),
                      pd.read_parquet(protected / vault.FILE), read("compare", Compare), read("evaluate", EvaluateParams).policy.profit)
    challenger, registered = verify(release), json.loads(card.read_bytes())
    with recorded.opened(portfolio) as book:
        champion = recorded.champion(book)
    with tempfile.TemporaryDirectory() as folder:
        first = _fetch(portfolio, champion, Path(folder)) if champion else None
        found, compared = comparison_report.told(subject, first, challenger)
    if first and compared:
        recorded.append(portfolio, comparison.finding(compared, first, challenger, subject.params.confidence))
    content = {
        "portfolio": portfolio, "title": subject.portfolio.title, "found": found, "compared": compared, "settings": subject.params,
        "profit": subject.profit,
        "challenger": {"release_id": challenger.id, "version": registered["version"], "model": challenger.manifest.model},
        "champion": {"release_id": first.id, "version": champion.version, "model": first.manifest.model} if champion and first else None,
    }
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_bytes(dump(content))
    plots.mkdir(parents=True, exist_ok=True)
    (plots / "swaps.csv").write_text(comparison_report.table(compared))
    documents.write("comparison.html", page, **content)
    print("\n".join(found))


def _fetch(portfolio: str, champion: Promotion, folder: Path) -> Release:
    from training import tracking  # noqa: PLC0415 - slow, and needed only where something serves

    return verify(tracking.fetch(tracking.card(portfolio, version=champion.version), folder), champion.release_id)


if __name__ == "__main__":
    run_stage(main)
