"""Compare the decisions of a window with development, column by column and month by month."""

from __future__ import annotations

from pathlib import Path

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.limits import Verdict, worst
from governance.release import dump, require_interface, verify
from monitoring import attribution, drift, drift_report, drift_sections, pages, passes, population, reports
from monitoring.params import DriftParams
from serving.scoring import decision
from serving.scoring.bins import Bins


def main(portfolio: str, decisions: Path, release: Path, figures: Path, report: Path) -> None:
    contract, verified, params = load(portfolio), verify(release), read("drift", DriftParams)
    require_interface(verified, contract)
    bins = verified.read("bins.json", dict[str, Bins])
    looked = passes.look(decisions, contract, verified, params.attribution.sample)
    columns, doors = drift.judge(looked.months, contract, bins, params), looked.doors
    moves = attribution.assess(looked.samples, decision.load(verified, contract), params)
    found = [*drift_report.findings(columns, params), *drift_sections.of_quality(columns, drift_sections.recorded(verified)),
             *drift_sections.of_door(doors, population.development(bins), params.minimum), *drift_sections.of_attribution(moves),
             pages.looked_at(looked.decisions, tuple(looked.months), contract, verified)]
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_bytes(dump({
        "portfolio": portfolio, "release_id": verified.id, "time_axis": contract.is_dated, "decisions": looked.decisions, "found": found,
        "verdict": worst((*(one for column in columns for one in (column.verdict, column.quality)), *(one.verdict for one in moves))),
        "drift_verdict": worst(column.verdict for column in columns),
        "columns_in_alert": sum(column.verdict is Verdict.ALERT for column in columns),
        "columns_to_watch": sum(column.verdict is Verdict.WATCH for column in columns),
        "quality_verdict": worst(column.quality for column in columns),
        "columns_with_faults": sum(column.quality in drift_sections.FLAGGED for column in columns),
        "attribution_verdict": worst(one.verdict for one in moves),
        "highest_psi": max(drift.peak(column).psi for column in columns), "limits": params, "columns": columns,
        "development": population.development(bins), "doors": doors, "attribution": moves,
    }))
    beside = drift_sections.blocks(columns, (population.development(bins), *doors), moves)
    reports.write(drift_report.page(f"{portfolio}: drift", found, columns, params.psi, beside), report)
    print("\n".join(found))


if __name__ == "__main__":
    run_stage(main)
