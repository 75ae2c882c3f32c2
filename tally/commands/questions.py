"""Questions to the record: what happened, what was in production, why somebody was declined, and whether it comes out the same again."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

AS_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")
PORTFOLIO = click.argument("portfolio", required=False)


def tell(lines: Iterable[str], answer: Any, *, as_json: bool) -> None:
    """Print an answer for people, or as JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(answer, enc_hook=str), indent=1) if as_json else "\n".join(lines))


@click.command()
@PORTFOLIO
@AS_JSON
def history(portfolio: str | None, *, as_json: bool) -> None:
    """Every governance event of PORTFOLIO in order: who, how, what and why."""
    from tally import answers, questions

    found = list(questions.of(portfolio).history())
    tell(answers.history(found), found, as_json=as_json)


@click.command("in-production")
@PORTFOLIO
@click.option("--at", required=True, help="A moment, such as 2026-03-01T12:00Z.")
@AS_JSON
def in_production(portfolio: str | None, at: str, *, as_json: bool) -> None:
    """What served at a moment, since when, who let it, why, and on what evidence."""
    from tally import answers, questions

    asked = questions.of(portfolio)
    found = asked.in_production(questions.time(at))
    tell(answers.in_production(found, asked.portfolio), found, as_json=as_json)


@click.command()
@click.argument("decision_id")
@click.option("--portfolio", help="Default: the one of this checkout.")
@AS_JSON
def trace(decision_id: str, portfolio: str | None, *, as_json: bool) -> None:
    """From a decision to its release, run, commit, data, approvals and proof."""
    from tally import answers, questions

    asked = questions.of(portfolio)
    found, proof = asked.trace(decision_id), asked.proof(asked.decision(decision_id))
    tell([*answers.trace(found), *answers.proof(proof)], {"trace": found, "proof": proof}, as_json=as_json)


@click.command()
@click.argument("decision_id", required=False)
@click.option("--all", "everything", is_flag=True, help="Every decision of the span, each with its own release.")
@click.option("--release", help="Decide the span as this release would: the beginning of its id, or v7 for a version.")
@click.option("--from", "since", help="Begin of the span, by the record's clock, such as 2026-03-01T12:00Z.")
@click.option("--to", "until", help="Its end, which is not in it.")
@click.option("--csv", "table", type=click.Path(path_type=Path), help="With --release: write every decision to this file.")
@click.option("--portfolio", help="Default: the one of this checkout.")
@AS_JSON
def replay(decision_id: str | None, *, everything: bool, release: str | None, as_json: bool, **given: Any) -> None:
    """Decide recorded decisions again: DECISION_ID, --all of them, or as another --release would have."""
    from tally import questions, replays

    if sum((decision_id is not None, everything, release is not None)) != 1:
        raise click.UsageError("name one of: a decision, --all, --release")
    asked = questions.of(given["portfolio"])
    span = replays.Span(*(questions.time(at) if at else None for at in (given["since"], given["until"])))
    if release is not None:
        _instead(asked, release, span, given["table"], as_json=as_json)
    elif everything:
        _every(asked, span, as_json=as_json)
    else:
        _one(asked, str(decision_id), as_json=as_json)


@click.command()
@click.argument("decision_id")
@click.option("--may-change", "may_change", multiple=True, help="An input that may be another; more than once. Default: all that may.")
@click.option("--portfolio", help="Default: the one of this checkout.")
@AS_JSON
def counterfactual(decision_id: str, may_change: tuple[str, ...], portfolio: str | None, *, as_json: bool) -> None:
    """Would DECISION_ID have been approved if …: the smallest change of its request, asked of the release that decided."""
    from tally import answers, questions, replays

    found = replays.advised(questions.of(portfolio), decision_id, may_change)
    tell(answers.advised(found), found, as_json=as_json)


def _one(asked: Any, decision_id: str, *, as_json: bool) -> None:
    from tally import answers, replays

    found, content = replays.one(asked, decision_id)
    tell(answers.replay(found, content), {"decision_id": found.decision_id, "differ": list(found.differences)}, as_json=as_json)
    sys.exit(0 if found.same else 1)


def _every(asked: Any, span: Any, *, as_json: bool) -> None:
    from tally import answers, replays

    found = replays.every(asked, span)
    differ = {one.decision_id: list(one.differences) for one in found.differ}
    tell(answers.replays(found), {"total": found.total, "erased": found.erased, "differ": differ}, as_json=as_json)
    sys.exit(1 if found.differ else 0)


def _instead(asked: Any, release: str, span: Any, table: Path | None, *, as_json: bool) -> None:
    from tally import answers, replays

    release_id = asked.release(release).release_id
    frame = replays.instead(asked, release_id, span)
    if table:
        frame.to_csv(table, index=False, lineterminator="\n")
    found = replays.summary(frame, release_id)
    tell(answers.reconsidered(found), {"summary": found, "decisions": frame.to_dict("records")}, as_json=as_json)


@click.command()
@PORTFOLIO
@click.option("--from", "since", help="Begin of a span, by the record's clock, such as 2026-03-01T12:00Z.")
@click.option("--to", "until", help="Its end, which is not in it.")
@AS_JSON
def arms(portfolio: str | None, since: str | None, until: str | None, *, as_json: bool) -> None:
    """What a shadow would have said beside what was decided, and how the arms of a split differ."""
    from tally import arms as compared
    from tally import arms_told, questions, replays

    span = replays.Span(*(questions.time(at) if at else None for at in (since, until)))
    found = compared.compare(questions.of(portfolio), span)
    tell(arms_told.told(found), found, as_json=as_json)


@click.command()
@click.argument("about")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Default: evidence-<id>.zip here.")
@click.option("--portfolio", help="Default: the one of this checkout.")
def evidence(about: str, target: Path | None, portfolio: str | None) -> None:
    """One zip about a decision or a release: readable, with proofs, and a script that checks them without us."""
    from tally import evidence as archives

    click.echo(archives.write(about, target, portfolio))


@click.command()
@click.argument("release")
@click.option("--fresh", is_flag=True, help="Share no cache: compute every stage anew.")
@click.option("--portfolio", help="Default: the one of this checkout.")
def reproduce(release: str, portfolio: str | None, *, fresh: bool) -> None:
    """Make RELEASE again from its commit and data, and compare release ids."""
    from tally import reproduction

    found = reproduction.reproduce(release, portfolio, fresh=fresh)
    click.echo(str(found))
    sys.exit(0 if found.same else 1)


@click.command()
def desk() -> None:
    """Start the record's own API: the same questions, and requests and approvals by token."""
    from tally.desk import server

    click.echo(server.serve())


COMMANDS = (history, in_production, trace, replay, arms, counterfactual, evidence, reproduce, desk)
