"""Compare what the PDs of a window said with the outcomes that have matured, and say what to expect of those that have not."""

from __future__ import annotations

from pathlib import Path

from feature_repo.contract import BAD
from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.limits import worst
from governance.release import dump, require_interface, verify
from monitoring import comparison, early, maturing, maturing_report, pages, performance, performance_report, reports, window
from monitoring.maturing_report import Way
from monitoring.params import PerformanceParams
from monitoring.performance_segments import with_segments
from serving.scoring.parts import Policy


def main(  # noqa: PLR0913, PLR0917 - its paths
    portfolio: str, decisions: Path, release: Path, record: Path, figures: Path, report: Path, plots: Path,
) -> None:
    """plots: a folder for what `dvc plots` draws."""
    contract, verified, params = load(portfolio), verify(release), read("performance", PerformanceParams)
    require_interface(verified, contract)
    bands = [band.name for band in verified.read("policy.json", Policy).bands]
    frame = window.read(decisions, contract, verified, columns=("pd", "score", "band", "outcome", BAD, *contract.segments))
    measured = with_segments(performance.assess(frame, contract, performance.reference(verified), bands, params), frame, contract, params)
    sides = comparison.side_by_side(verified, frame, measured.total)
    signs = early.assess(early.join(frame, record, contract), contract, measured, params)
    way = Way(maturing.assess(frame, contract, measured, params), signs)
    found = [*performance_report.findings(measured, params), *maturing_report.findings(way, params),
             *performance_report.outcomes_seen(contract), *pages.of_window(frame, contract, verified)]
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_bytes(dump({
        "portfolio": portfolio, "release_id": verified.id, "time_axis": contract.is_dated, "found": found,
        "verdict": worst((measured.verdict, *early.watched(signs))), "outcomes_verdict": measured.verdict,
        "decisions": measured.total.decisions, "matured": measured.total.matured, "bad": measured.total.bad,
        "gini": measured.total.gini.value if measured.total.gini else None, "ks": measured.total.ks, "brier": measured.total.brier,
        "limits": params, "reading": performance.READING, "performance": measured, "side_by_side": sides,
        "estimate": way.found, "early": way.signs, "reading_estimates": maturing_report.READING,
    }))
    plots.mkdir(parents=True, exist_ok=True)
    maturing_report.drawn(way).to_csv(plots / "from_estimate.csv", index=False)
    reports.write(performance_report.page(f"{portfolio}: performance", found, measured, sides, way), report)
    print("\n".join(found))


if __name__ == "__main__":
    run_stage(main)
