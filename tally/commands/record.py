"""The record as files: whether it is whole, an export of it, its checkpoints, and erasing a person from it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

MONTH = click.DateTime(["%Y-%m"])


@click.command("export-ledger")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--from", "first", type=MONTH, metavar="YYYY-MM", help="The first month; default: the oldest.")
@click.option("--to", "last", type=MONTH, metavar="YYYY-MM", help="The last month; default: the newest.")
def export_ledger(folder: Path, first: datetime | None, last: datetime | None) -> None:
    """Write the ledger to a new FOLDER, signed, so that `tally verify FOLDER` proves it anywhere."""
    from tally import record

    click.echo(record.export_ledger(folder, f"{first:%Y-%m}" if first else None, f"{last:%Y-%m}" if last else None))


@click.command()
@click.option("--key", is_flag=True, help="Print the log's public key instead.")
def checkpoint(*, key: bool) -> None:
    """Sign all that was recorded so far and print the checkpoint: keep it where nobody of this machine can reach it."""
    from tally import record

    click.echo(record.key() if key else record.sign(), nl=key)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@click.option("--key", metavar="VKEY", help="The log's public key (tally checkpoint --key); default: this home's.")
@click.option("--checkpoint", "noted", multiple=True, type=click.Path(path_type=Path, exists=True),
              help="A file with a checkpoint that was kept elsewhere, which the record must still hold.")
def verify(folder: Path | None, key: str | None, noted: tuple[Path, ...]) -> None:
    """Prove the live ledger of the portfolio, or the export in FOLDER: that nothing was edited, taken out, put in, moved or cut off."""
    from tally import record

    for line in record.verify(folder, key, noted):
        click.echo(line)


@click.command()
@click.option("--applicant", required=True, metavar="ID", help="Whose decisions.")
@click.option("--reason", required=True, help="Why: it is recorded, so name nobody.")
@click.option("--recorded-before", "before", type=click.DateTime(),
              help="Only decisions recorded before this moment (UTC), where a law says how long they must be kept.")
def erase(applicant: str, reason: str, before: datetime | None) -> None:
    """Destroy what was recorded of a person; that it was recorded, and every proof, stays."""
    from tally import record

    click.echo(record.erase(applicant, reason, before))


COMMANDS = (export_ledger, checkpoint, verify, erase)
