"""The record as files: whether it is whole, and a window or a copy of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click


@click.command()
@click.argument("start", type=click.DateTime())
@click.argument("end", type=click.DateTime())
@click.argument("window", type=click.Path(path_type=Path))
def export(start: datetime, end: datetime, window: Path) -> None:
    """Write the decisions of business time [START, END), UTC, as a WINDOW the monitoring stages read."""
    from tally import record

    click.echo(record.export(start, end, window))


@click.command()
def verify() -> None:
    """Check the ledger of the portfolio."""
    from tally import record

    click.echo(record.verify())


COMMANDS = (export, verify)
