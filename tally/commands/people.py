"""The people of the record: who may act, by which key."""

from __future__ import annotations

import click

ROLES = click.Choice(["author", "owner", "approver", "underwriter", "servicer", "custodian", "desk"])  # governance.people, slow to import


@click.group()
def people() -> None:
    """Say who may act: keys, roles, tokens, and when somebody leaves."""


@people.command()
@click.option("--name", help="Default: TALLY_ACTOR, else git's user.name, else the login.")
@click.option("--role", "roles", multiple=True, type=ROLES, help="What you may do; default: author.")
def init(name: str | None, roles: tuple[str, ...]) -> None:
    """Make your key and put you into the signers file."""
    from tally import people as persons

    click.echo(persons.init(name, roles))


@people.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=ROLES, help="What they may do; may be given several times.")
def new(name: str, roles: tuple[str, ...]) -> None:
    """Make a key for NAME and put them into the signers file; also for new roles, or a new key, of somebody who is there."""
    from tally import people as persons

    click.echo(persons.new(name, roles))


@people.command("list")
def show() -> None:
    """Show who may act, and who might."""
    from tally import people as persons

    click.echo(persons.show())


@people.command()
@click.argument("name")
def token(name: str) -> None:
    """Make a token for NAME, shown this once; an older one ends."""
    from tally import people as persons

    click.echo(persons.token(name))


@people.command()
@click.argument("name")
def end(name: str) -> None:
    """Let NAME act no more from now on; what they signed before keeps counting."""
    from tally import people as persons

    click.echo(persons.end(name))


COMMANDS: tuple[click.Command, ...] = (people,)
