"""Questions to the record: what was decided, by which release, and whether it comes out the same again."""

from __future__ import annotations

import click


@click.command()
@click.argument("decision_id")
def replay(decision_id: str) -> None:
    """Decide a recorded decision again from its own record and compare."""
    from tally import record

    click.echo(record.replay(decision_id))


COMMANDS = (replay,)
