"""What monitoring reads and makes: windows of the record, late outcomes, live protected attributes, overrides, reports as of a day."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

import click

GRAIN = click.option("--grain", type=click.Choice(["day", "week", "month"]), default="month", show_default=True,
                     help="How long a window is; weeks begin on Monday.")
FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
CODES = ["documents", "wrong-data", "circumstances", "policy-exception", "fraud-suspicion", "other"]  # governance.overrides, slow to import


@click.command()
@click.option("--from", "since", type=click.DateTime(), help="Begin of a span of business time, UTC; default: the first decision.")
@click.option("--to", "until", type=click.DateTime(), help="Its end, which is not in it; default: the newest decision.")
@GRAIN
def export(since: datetime | None, until: datetime | None, grain: str) -> None:
    """Write the decisions of the record as windows, the ones the monitoring stages read; equal records give equal files."""
    from tally import windows

    click.echo(windows.export(since, until, grain))


@click.command()
@click.option("--as-of", "as_of", metavar="DAY", help="A day that is over, or yesterday: report on every window that had ended.")
@GRAIN
@click.option("--again", is_flag=True, help="With --as-of: also reports that stand on the same as before.")
def monitor(as_of: str | None, grain: str, *, again: bool) -> None:
    """Bring the pipeline's reports up to date and serve them; with --as-of the reports on windows of the record."""
    if as_of is None:
        from tally import operations

        click.echo(operations.monitor())
    else:
        from tally import monitoring

        click.echo(monitoring.as_of(as_of, grain, again=again))


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--release", metavar="ID", help="Whose decisions: the beginning of a release's id, v7, or its folder. Default: what serves.")
@click.option("--counts", type=click.Path(path_type=Path, dir_okay=False), help="Keep the counts there, to judge them with others' later.")
def drift(files: tuple[Path, ...], release: str | None, counts: Path | None) -> None:
    """Judge the drift of windows of any length in FILES: Parquet as `tally export` writes it, or counts that were kept (.json).

    A folder stands for the counts in it: var/<portfolio>/counts has what the workers decided, counted as they did, by the hour.
    """
    from tally import drifting

    click.echo(drifting.judge(files, release, counts))


@click.group()
def outcomes() -> None:
    """How decisions turned out, once that is known."""


@outcomes.command("import")
@FILE
def import_outcomes(file: Path) -> None:
    """Take up outcomes from FILE (CSV or Parquet): decision_id or applicant_id, outcome, observed_at; as a servicer."""
    from tally import arriving

    click.echo(arriving.outcomes(file))


@click.group()
def vault() -> None:
    """Protected attributes of people who were decided on."""


@vault.command("import")
@FILE
def import_protected(file: Path) -> None:
    """Take up groups from FILE (CSV or Parquet): decision_id or applicant_id, a column per protected attribute; as a custodian."""
    from tally import arriving

    click.echo(arriving.protected(file))


@click.command()
@click.argument("decision_id")
@click.option("--outcome", required=True, type=click.Choice(["approve", "decline"]))
@click.option("--code", required=True, type=click.Choice(CODES), help="Which of the declared reasons it is.")
@click.option("--reason", required=True, help="Why, in words; it is recorded and never erased, so name nobody.")
def override(decision_id: str, outcome: Literal["approve", "decline"], code: str, reason: str) -> None:
    """Decide DECISION_ID otherwise than the service did, as a person with the role underwriter."""
    from tally import arriving

    click.echo(arriving.override(decision_id, outcome, code, reason))


@click.command()
def alerts() -> None:
    """Tell whoever owns it what the newest windows of `tally monitor --as-of` found; what could not be sent is tried again."""
    from tally import alerting

    click.echo(alerting.alert())


@click.command()
@click.option("--verdict", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="A verdict.json of `tally monitor --as-of`; default: the newest of this checkout.")
def retrain(verdict: Path | None) -> None:
    """Answer breaches of monitoring: a challenger on newer data, compared with the champion, and where it is better a request."""
    from tally import retraining

    click.echo(retraining.retrain(verdict))


COMMANDS: tuple[click.Command, ...] = (alerts, drift, export, monitor, outcomes, retrain, vault, override)
