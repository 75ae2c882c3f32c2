"""Say what would hold up a promotion of this release today: every gate against it, on a page. Reports only; no gate stops a run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from feature_repo.errors import run_stage
from feature_repo.portfolios import load
from governance import gates
from governance.release import dump, verify
from training import documents, gate_report, recorded


def main(portfolio: str, release: Path, card: Path, figures: Path, page: Path, folder: Path) -> None:  # noqa: PLR0913, PLR0917 - its paths
    judged, registered, now = verify(release), json.loads(card.read_bytes()), datetime.now(UTC)
    with recorded.opened(portfolio) as book:
        serves = recorded.champion(book)
        champion = serves.release_id if serves else ""
        compared, decided = recorded.compared(book, judged.id, champion), recorded.decided(book)
    findings = gates.judge(judged, compared, champion, now, decided)
    found = gate_report.sentences(judged, findings)
    content = {
        "portfolio": portfolio, "title": load(portfolio).title, "on": now.date().isoformat(), "found": found, "findings": findings,
        "release": {"release_id": judged.id, "version": registered["version"], "model": judged.manifest.model},
        "champion": {"release_id": champion, "version": serves.version} if serves else None,
    }
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_bytes(dump(content))
    documents.write("gates.html", page, **content)
    folder.mkdir(parents=True, exist_ok=True)
    gate_report.impact(judged).to_csv(folder / "impact.csv", index=False, lineterminator="\n", float_format="%.6g")
    print("\n".join(found))


if __name__ == "__main__":
    run_stage(main)
