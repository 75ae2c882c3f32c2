"""Promotion: who wants which release to serve, who agrees, and what follows."""

from __future__ import annotations

import click


@click.command()
@click.option("--version", help="Registered version; default: the challenger.")
def promote(version: str | None) -> None:
    """Let the alias `champion` name a registered version, and place its release."""
    from tally import operations

    click.echo(operations.promote(version))


@click.command()
def place() -> None:
    """Fetch the champion's release, verify it and point the service to it."""
    from tally import operations

    click.echo(operations.place().id)


COMMANDS = (promote, place)
