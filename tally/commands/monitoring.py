"""What monitoring reads and makes: windows of the record, late outcomes, live protected attributes, overrides, reports as of a day."""

from __future__ import annotations

from datetime import datetime

import click

GRAIN = click.option("--grain", type=click.Choice(["day", "week", "month"]), default="month", show_default=True,
                     help="How long a window is; weeks begin on Monday.")


@click.command()
@click.option("--from", "since", type=click.DateTime(), help="Begin of a span of business time, UTC; default: the first decision.")
@click.option("--to", "until", type=click.DateTime(), help="Its end, which is not in it; default: the newest decision.")
@GRAIN
def export(since: datetime | None, until: datetime | None, grain: str) -> None:
    """Write the decisions of the record as windows, the ones the monitoring stages read; equal records give equal files."""
    from tally import windows

    click.echo(windows.export(since, until, grain))


COMMANDS: tuple[click.Command, ...] = (export,)
