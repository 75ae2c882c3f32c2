"""Compare the challenger with the champion, which is fetched from the registry and verified; without one the page says so."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.release import Release, dump, verify
from training import comparison, comparison_report, documents, tracking, vault
from training.comparison import Compare, Subject
from training.params import EvaluateParams
from training.splits import align


def main(portfolio: str, assemble: Path, split: Path, protected: Path, release: Path, card: Path,  # noqa: PLR0913, PLR0917 - its paths
         figures: Path, page: Path, plots: Path) -> None:
    frame = pd.read_parquet(assemble / "applications.parquet")
    subject = Subject(load(portfolio), frame, align(frame, pd.read_parquet(split / "parts.parquet")),
                      pd.read_parquet(protected / vault.FILE), read("compare", Compare), read("evaluate", EvaluateParams).policy.profit)
    challenger, registered = verify(release), json.loads(card.read_bytes())
    champion = tracking.champion(portfolio)
    with tempfile.TemporaryDirectory() as folder:
        first = verify(tracking.fetch(champion, Path(folder)), champion.release_id) if champion else None
        found, compared = _compare(subject, first, challenger)
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


def _compare(subject: Subject, champion: Release | None, challenger: Release) -> tuple[list[str], dict[str, object] | None]:
    """Sentences, and the figures where there is something to compare and this code can score it."""
    if champion is None:
        return [comparison_report.NO_CHAMPION], None
    if champion.id == challenger.id:
        return [comparison_report.SAME.format(champion.id[:12])], None
    if not comparison.same_interface(champion, challenger):
        return [comparison_report.OTHER.format("; ".join(comparison.differences(champion, challenger)))], None
    compared = comparison.compare(subject, champion, challenger)
    return comparison_report.findings(compared), compared


if __name__ == "__main__":
    run_stage(main)
