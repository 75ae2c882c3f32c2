"""The command `tally`: one line per subcommand, everything behind it imported lazily."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from feature_repo.errors import TallyError
from tally.commands import monitoring, people, promotion, questions, record, scoring


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def tally() -> None:
    """Credit-risk model lifecycle: from raw file to an explained, recorded decision."""


@tally.command()
def demo() -> None:
    """Run the whole lifecycle and leave the services running."""
    from tally import demo as lifecycle

    lifecycle.run()


@tally.command()
def serve() -> None:
    """Place the champion and start the scoring service."""
    from tally import operations

    click.echo(operations.serve())


@tally.command("mlflow")
def mlflow_server() -> None:
    """Start the MLflow server over the embedded store."""
    from tally import operations

    click.echo(operations.serve_mlflow())


@tally.command()
def stop() -> None:
    """End exactly the servers this checkout started."""
    from tally import operations

    click.echo(operations.stop())


@tally.command("repair")
def repair_checkout() -> None:
    """Put right what a killed run left in DVC's way: stale locks, a torn dvc.lock, abandoned experiments."""
    from tally import repair

    click.echo(repair.repair())


@tally.command()
def publish() -> None:
    """Bring the online store up to date with the featurized tables."""
    from tally import operations

    click.echo(operations.publish())


@tally.command()
def parity() -> None:
    """Hold the stored values that decisions were made on against the point-in-time join; a gate reads what is found."""
    from tally import parity as check

    click.echo(check.check())


@tally.group()
def portfolio() -> None:
    """Bring your own portfolio: draft its contract from raw files, and see what it still lacks."""


@portfolio.command()
@click.argument("name")
@click.option("--from", "files", multiple=True, required=True, type=click.Path(path_type=Path),
              help="A raw file; the first holds the applications, further ones what is stored of the applicants.")
@click.option("--target", help="The column that says how a loan went.")
@click.option("--bad", multiple=True, help="A text of that column that means bad.")
@click.option("--time", help="The column that says when somebody applied.")
@click.option("--key", help="The column that names the applicant.")
@click.option("--force", is_flag=True, help="Draft it anew where there is one already.")
def new(name: str, files: tuple[Path, ...], *, force: bool, **said: Any) -> None:
    """Draft feature_repo/portfolios/NAME.py from raw files, and copy them to data/raw/NAME/."""
    from tally.drafting.draft import Asked
    from tally.drafting.new import new as draft

    click.echo(draft(name, files, Asked(**said), force=force))


@portfolio.command()
@click.argument("name")
def maturity(name: str) -> None:
    """Show what the maturity rule and the outcome window do to the bad rates of NAME."""
    from tally import maturity as rules

    click.echo(rules.show(name))


@portfolio.command()
@click.argument("name")
def check(name: str) -> None:
    """List all that NAME still lacks before it can run, and what in it is doubtful."""
    from tally.drafting import checking

    found = checking.check(name)
    click.echo(str(found))
    sys.exit(1 if found.to_do else 0)


for command in (*promotion.COMMANDS, *record.COMMANDS, *monitoring.COMMANDS, *questions.COMMANDS, *people.COMMANDS, *scoring.COMMANDS):
    tally.add_command(command)


def main() -> None:
    """Entry point: an error of ours is one line and exit code 1."""
    try:
        tally(standalone_mode=True)
    except TallyError as error:
        click.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
