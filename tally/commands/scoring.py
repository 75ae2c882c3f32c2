"""Scoring files."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--reasons", is_flag=True, help="The principal reasons of every row that is not approved, as JSON.")
@click.option("--release", metavar="ID", help="What scores: the beginning of a release's id, or v7 for a version. Default: what serves.")
@click.option("--rejects", type=click.Path(path_type=Path, dir_okay=False),
              help="Set rows that break the contract aside, named here by number and column; without it they refuse the file.")
def score(source: Path, target: Path, *, reasons: bool, release: str | None, rejects: Path | None) -> None:
    """Score every row of the Parquet file SOURCE into TARGET; a run that was ended goes on where it was."""
    from tally import filing

    click.echo(filing.score(source, target, reasons=reasons, named=release, rejects=rejects))


COMMANDS = (score,)
