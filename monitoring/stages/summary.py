"""Say on one page what the reports on a window found, how sure that is, what it costs in expected loss, and what to do."""

from __future__ import annotations

from pathlib import Path

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.limits import worst
from governance.release import dump, require_interface, verify
from monitoring import loss, pages, summary, summary_page, window
from monitoring.alerts.params import AlertsParams
from monitoring.concerns import Scope
from monitoring.params import DriftParams, Evaluated, LossParams, SummaryParams
from serving.scoring.bins import Bins


def main(  # noqa: PLR0913, PLR0917 - its paths
    portfolio: str, decisions: Path, release: Path, drift: Path, performance: Path, fairness: Path, figures: Path, report: Path,
) -> None:
    contract, verified, params = load(portfolio), verify(release), read("summary", SummaryParams)
    require_interface(verified, contract)
    bins, there = verified.read("bins.json", dict[str, Bins]), summary.read(drift, performance, fairness)
    frame = window.read(decisions, contract, verified, columns=tuple(dict.fromkeys((*loss.columns(contract), *bins))))
    costs = LossParams(-read("evaluate", Evaluated).policy.profit.of_bad, params.confidence)
    found = summary.assess(there, Scope(frame, contract, bins, costs, read("alerts", AlertsParams).rules))
    told = summary_page.Told(contract, there, found, costs, params, read("drift", DriftParams).false_alarms)
    looked = pages.of_window(frame, contract, verified)[:1]
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_bytes(dump({
        "portfolio": portfolio, "release_id": verified.id, "time_axis": contract.is_dated, "decisions": len(frame), "found": told.found(),
        "verdict": worst(found.verdicts.values()), "verdicts": found.verdicts, "lent": found.lent,
        "loss_given_default": costs.given_default, "concerns": found.concerns, "groups": found.groups,
        "rests_on": told.rests(), "limits": params,
    }))
    summary_page.write(report, told, looked)
    print("\n".join(told.found()))


if __name__ == "__main__":
    run_stage(main)
