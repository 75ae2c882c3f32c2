"""Compare how protected groups fared in the decisions of a window; the vault is joined here and nowhere else in monitoring."""

from __future__ import annotations

from pathlib import Path

from feature_repo.contract import BAD
from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.limits import Verdict, worst
from governance.release import dump, require_interface, verify
from monitoring import fairness, fairness_report, pages, reports, window
from monitoring.params import FairnessParams


def main(portfolio: str, decisions: Path, release: Path, vault: Path, figures: Path, report: Path) -> None:  # noqa: PLR0913, PLR0917
    contract, verified, params = load(portfolio), verify(release), read("fairness", FairnessParams)
    require_interface(verified, contract)
    frame = window.with_vault(window.read(decisions, contract, verified, columns=("pd", "outcome", BAD)), vault, contract)
    attributes = fairness.assess(frame, contract, verified.read("fairness.json", fairness.Baseline), params)
    found = [*fairness_report.findings(attributes, params), *pages.of_window(frame, contract, verified)]
    impacts = [group.adverse_impact.value for attribute in attributes for group in attribute.groups
               if group.adverse_impact and group.impact_verdict is not Verdict.INSUFFICIENT]
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_bytes(dump({
        "portfolio": portfolio, "release_id": verified.id, "time_axis": contract.is_dated, "decisions": len(frame), "found": found,
        "verdict": worst(attribute.verdict for attribute in attributes),
        "groups_in_alert": sum(Verdict.ALERT in group.verdicts for attribute in attributes for group in attribute.groups),
        "lowest_adverse_impact_ratio": min(impacts, default=None), "limits": params, "reading": fairness.READING, "attributes": attributes,
    }))
    reports.write(fairness_report.page(f"{portfolio}: fairness", found, attributes, params.adverse_impact), report)
    print("\n".join(found))


if __name__ == "__main__":
    run_stage(main)
