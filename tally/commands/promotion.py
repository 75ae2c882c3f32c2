"""Promotion: who wants which release to serve, who agrees, and what follows."""

from __future__ import annotations

from datetime import UTC, datetime

import click

REASON = click.option("--reason", required=True, help="Why; it is kept with the record.")
REQUEST = click.argument("request_id", metavar="REQUEST")


VERSION = click.option("--version", help="Registered version; default: the newest candidate.")


@click.command()
@VERSION
@click.option("--alias", type=click.Choice(["champion", "shadow"]), default="champion", show_default=True,
              help="shadow: score beside the champion, and answer nobody.")
@REASON
def request(version: str | None, alias: str, reason: str) -> None:
    """Ask for a registered version to serve; its gates are judged and shown."""
    from governance.actions import Wish
    from tally import promotion

    click.echo(promotion.request(version, reason, Wish(alias)))


@click.command()
@VERSION
@click.option("--share", required=True, type=float, help="Of applicants, such as 0.10.")
@click.option("--until", required=True, type=click.DateTime(), help="When it ends by itself, UTC.")
@click.option("--experiment", default="", help="A name: with the same one a larger share keeps whom the smaller had.")
@REASON
def split(version: str | None, share: float, until: datetime, experiment: str, reason: str) -> None:
    """Ask for a version to decide for a share of applicants instead of the champion; gates and approval as for a champion."""
    from governance.actions import Wish
    from governance.events import CHALLENGER
    from governance.splits import Split
    from tally import promotion

    ends = (until if until.tzinfo else until.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    click.echo(promotion.request(version, reason, Wish(CHALLENGER, Split(experiment, share, ends))))


@click.command()
@click.option("--alias", type=click.Choice(["shadow", "challenger"]), required=True)
@REASON
def withdraw(alias: str, reason: str) -> None:
    """End a shadow, or a split before its time."""
    from tally import promotion

    click.echo(promotion.withdraw(alias, reason))


@click.command()
@REQUEST
@REASON
def approve(request_id: str, reason: str) -> None:
    """Agree to a request of somebody else. REQUEST: its id or how it begins."""
    from tally import promotion

    click.echo(promotion.approve(request_id, reason))


@click.command()
@REQUEST
@REASON
def reject(request_id: str, reason: str) -> None:
    """End a request: somebody else's, or one's own."""
    from tally import promotion

    click.echo(promotion.reject(request_id, reason))


@click.command()
@REQUEST
@click.option("--gate", required=True, help="The gate that failed.")
@click.option("--until", required=True, type=click.DateTime(), help="When the override ends, UTC.")
@REASON
def waive(request_id: str, gate: str, until: datetime, reason: str) -> None:
    """Override a failed gate of a request for a time; afterwards the release may not serve."""
    from tally import promotion

    click.echo(promotion.waive(request_id, gate, until, reason))


@click.command()
@click.argument("request_id", metavar="[REQUEST]", required=False)
@click.option("--reason", default="", help="Why now; the request has a reason of its own.")
@click.option("--demo", is_flag=True, help="Two invented people ask, agree and override.")
@click.option("--version", help="With --demo: registered version; default: the challenger.")
def promote(request_id: str | None, reason: str, version: str | None, *, demo: bool) -> None:
    """Let an approved request take effect: alias, record, service."""
    from tally import promotion

    if version and not demo:
        raise click.UsageError("--version goes with --demo; in earnest a version is asked for: tally request --version")
    click.echo(promotion.demo(version) if demo else promotion.promote(request_id, reason))


@click.command()
@REASON
def rollback(reason: str) -> None:
    """Back to the newest release that served before and still may."""
    from tally import promotion

    click.echo(promotion.rollback(reason))


@click.command()
@click.argument("release_id", metavar="RELEASE")
@REASON
def retire(release_id: str, reason: str) -> None:
    """Never let a release serve again."""
    from tally import promotion

    click.echo(promotion.retire(release_id, reason))


@click.command()
@click.argument("request_id", metavar="[REQUEST]", required=False)
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
def requests(request_id: str | None, *, every: bool) -> None:
    """The open requests and what each is missing; with REQUEST that one, with its gates."""
    from tally import promotion

    click.echo(promotion.requests(request_id, every=every))


@click.command()
def place() -> None:
    """Fetch what the record says serves, verify it and point the service to it."""
    from tally import operations

    click.echo(operations.place().id)


@click.command()
@click.option("--once", is_flag=True, help="One look, and what follows from it.")
def watch(*, once: bool) -> None:
    """Hold the alias `champion` against the record, and place what may serve."""
    from tally import watching
    from tally.checkout import here

    (watching.once if once else watching.forever)(here())


COMMANDS = (request, split, approve, reject, waive, promote, rollback, withdraw, retire, requests, place, watch)
