"""The whole lifecycle in one go: pipeline, registry, online features, promotion, service, three decisions, reports."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pandas as pd
from rich.console import Console
from rich.table import Table

from feature_repo.contract import APPLICANT_ID, Action
from feature_repo.errors import ServiceError
from tally import operations, pages, parity, processes, promotion, servers
from tally.checkout import Checkout, here

TRIES = 40
console = Console(highlight=False, soft_wrap=True)


def run() -> None:
    """Run every step with its time; the last line printed is a curl command that returns a decision."""
    checkout = here()
    started = time.monotonic()
    for server in servers.everything(checkout.home, checkout.portfolio.name, checkout.reports):
        processes.free(server, checkout.run)
    step("Pipeline: dvc repro", started)
    operations.pipeline()
    processes.launch(servers.mlflow(checkout.home), checkout.run)
    step("Online features", started)
    console.print(operations.publish(checkout))
    step("Promotion", started)
    mlflow = operations.serve_mlflow(checkout)
    console.print(promotion.demo(None))
    step("Scoring service", started)
    api = operations.serve(checkout)
    step("Three applicants", started)
    asked = [decide(checkout, api, action) for action in Action]
    step("Stored values, online and offline", started)
    parity.check(checkout)
    step("Reports", started)
    reports = operations.serve_reports(checkout)
    console.print("\n".join(pages.headlines(checkout.reports / checkout.portfolio.name)))
    step("Running; make stop ends it", started)
    console.print(f"MLflow UI   {mlflow}\nAPI docs    {api}/docs\nReports     {reports}\n")
    print(curl(api, asked[0]))


def decide(checkout: Checkout, api: str, wanted: Action) -> dict[str, Any]:
    """Ask for the decision of a recent application until one has the wanted outcome; show it and return the request."""
    for request in applications(checkout, wanted):
        answer = httpx.post(f"{api}/v1/decisions", json=request, timeout=30)
        if answer.is_success and answer.json()["outcome"] == wanted:
            show(answer.json())
            return request
    raise ServiceError(f"none of {TRIES} recent applications was answered with {wanted}; see {checkout.run / 'scoring.log'}")


def applications(checkout: Checkout, outcome: Action) -> Iterator[dict[str, Any]]:
    """The newest applications that the release decided this way offline, as API requests."""
    window = pd.read_parquet(checkout.data("baseline", "window.parquet"))
    for row in window[window["outcome"] == outcome].tail(TRIES).iloc[::-1].to_dict("records"):
        values = {column.name: row[column.name] for column in checkout.portfolio.requests}
        said = {name: None if pd.isna(value) else value for name, value in values.items()}
        yield {APPLICANT_ID: row[APPLICANT_ID], "application": said}


def show(answer: dict[str, Any]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name in ("decision_id", "outcome", "pd", "score", "band"):
        table.add_row(name, f"{answer[name]:.2%}" if name == "pd" else str(answer[name]))
    for place, reason in enumerate(answer["reasons"], start=1):
        table.add_row(f"reason {place}", reason["text"])
    console.print(table)


def step(title: str, started: float) -> None:
    console.rule(f"[bold]{title}[/bold] · {time.monotonic() - started:.0f} s", align="left")


def curl(api: str, request: dict[str, Any]) -> str:
    body = json.dumps(request).replace("'", "'\\''")
    return f"curl -s {api}/v1/decisions -H 'Content-Type: application/json' -d '{body}'"
