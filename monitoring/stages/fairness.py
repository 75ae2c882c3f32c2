"""Compare how protected groups fared in the decisions of a window; the vault is joined here and nowhere else in monitoring."""

from __future__ import annotations

from pathlib import Path

from feature_repo.contract import BAD
from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.release import dump, require_interface, verify
from monitoring import fairness, fairness_found, fairness_page, fairness_report, group_counts, in_force, pages, reports, window
from monitoring.params import FairnessParams

COLUMNS = ("pd", "score", "band", "outcome", "reasons", BAD)


def main(portfolio: str, decisions: Path, release: Path, vault: Path, figures: Path, report: Path) -> None:  # noqa: PLR0913, PLR0917
    contract, verified, params = load(portfolio), verify(release), read("fairness", FairnessParams)
    require_interface(verified, contract)
    rules = in_force.read(params, contract)
    frame = window.with_vault(window.read(decisions, contract, verified, columns=COLUMNS), vault, contract)
    known, judges = fairness.development(verified), fairness.judges(frame, contract, rules)
    found = fairness_found.measure(group_counts.grouped(frame, contract, known.shift), known, judges, verified, params)
    said = [*fairness_report.findings(found.attributes, judges.newest), *fairness_report.ruled(found.rulings),
            *fairness_report.beyond(found.intersections, found.reasons), *pages.of_window(frame, contract, verified)]
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_bytes(dump({**fairness_found.summary(found), "portfolio": portfolio, "release_id": verified.id,
                              "time_axis": contract.is_dated, "decisions": len(frame), "found": said, "limits": params,
                              "reading": fairness_report.READING}))
    reports.write(fairness_page.page(f"{portfolio}: fairness", said, found, judges.newest), report)
    print("\n".join(said))


if __name__ == "__main__":
    run_stage(main)
