"""Answers to questions, as lines for a terminal: complete sentences first, then who, how and why, then evidence.

Responsible for wording and layout alone. Where the record shows nothing, it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from governance.history import Background, Line, Moment, Trace, Worker
from governance.sentences import findings, many, shared, short
from governance.standing import Request, Signed
from serving.advice import Advised
from serving.reconsideration import TOGETHER
from serving.replay import Replay
from tally.questions import Shown
from tally.replays import Reconsidered, Replayed

WIDTH = 15
FIRST = 10


def moment(at: datetime | str) -> str:
    """A time of the record, UTC, to the second."""
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{found:%Y-%m-%d %H:%M:%S} UTC"


def row(name: str, text: str) -> str:
    return f"  {name:<{WIDTH}}{text}"


def history(lines: Iterable[Line]) -> Iterator[str]:
    """A line an event."""
    for line in lines:
        void = f"   [NO EFFECT: {line.ignored}]" if line.ignored else ""
        yield f"{moment(line.at)}  {line.who:<28}  {line.what}{void}"


def in_production(found: Moment, portfolio: str) -> Iterator[str]:
    """What served, since when, by whom it was wanted, and on what evidence."""
    yield f"{portfolio}, {found.alias} at {moment(found.at)}"
    if found.serving is None:
        yield "  Nothing was in production: by then no release had been promoted."
        yield from workers(found)
        return
    promotion = found.serving.promotion
    yield f"  Release {promotion.release_id} (version {promotion.version}), since {moment(promotion.since)}."
    if not found.serving.allowed:
        yield "  NOT ALLOWED ANY MORE: the waiver it relied on has lapsed and no earlier release is left, so it went on."
    yield from workers(found)
    for one in found.beside:
        yield row(one.alias, f"release {short(one.promotion.release_id)} (version {one.promotion.version}){shared(one.split)}, since "
                  f"{moment(one.promotion.since)}")
    yield row("rolled back by" if promotion.back else "promoted by", signed(promotion.by))
    if found.behind:
        yield from background(found.behind)


def workers(found: Moment) -> Iterator[str]:
    """Which workers answered with what; more than one release means that a swap was under way or was refused."""
    if not found.workers:
        yield "  No worker had said that it serves."
        return
    served = found.served
    if len(served) > 1:
        yield f"  The workers served {len(served)} releases at that moment:"
    for release_id, those in served.items():
        yield row("served by", f"{short(release_id)}: {'; '.join(map(worker, those))}")
    due = found.serving.promotion.release_id if found.serving else ""
    if due and due not in served:
        yield f"  No worker had taken release {short(due)} up yet."


def worker(found: Worker) -> str:
    refused = f", refused its successor: {found.refused}" if found.refused else ""
    return f"{found.name} since {moment(found.since)}{refused}"


def background(found: Background) -> Iterator[str]:
    """Who wanted a release, what its gates found, and what it was made from."""
    if found.request:
        yield from request(found.request)
    else:
        yield row("asked for by", "nobody: the record has no request for it")
    if (made := found.registered) is None:
        yield row("made from", "unknown: the record does not have its registration")
        return
    yield row("made by", f"{made.author or 'nobody: unsigned'} (git: {made.git_author})")
    yield row("commit", made.commit + (", with uncommitted changes" if made.dirty else ""))
    yield row("MLflow", f"{made.model} version {made.version}, run {made.run_id}")
    for path, digest in made.data.items():
        yield row("data", f"{path} {digest}")
    if checked := found.validated:
        verdict = "passed" if checked.success else "FAILED"
        counted = f"{many(checked.checks, 'check', 'checks')}, {many(checked.warnings, 'warning', 'warnings')}"
        yield row("validation", f"{verdict}, {counted}, suite {short(checked.suite)}")
    else:
        yield row("validation", "the record has none of these data")
    for one in found.compared:
        low, high = one.interval
        gini = f"Gini {one.gini_difference:+.4f} ({low:+.4f} to {high:+.4f})"
        yield row("comparison", f"{gini} against {short(one.champion)}, {one.rows:,} rows")


def request(found: Request) -> Iterator[str]:
    """Who asked, agreed and overrode, with the gates."""
    yield row("asked for by", signed(found.by) + f", request {found.id}")
    for approval in found.approvals:
        yield row("approved by", signed(approval))
    if found.rejected:
        yield row("rejected by", signed(found.rejected))
    yield row("gates", findings(found.gates))
    for gate in found.gates:
        yield row("", f"{'passed' if gate.passed else 'FAILED'}  {gate.gate}: {gate.found} (allowed: {gate.allowed})")
    for waiver in found.waivers:
        yield row("waived", f"{waiver.gate} until {moment(waiver.until)} by {signed(waiver.by)}")


def signed(said: Signed) -> str:
    reason = f': "{said.reason}"' if said.reason else ""
    return f"{said.name}{' (demo)' if said.demo else ''}, {moment(said.at)}{reason}"


def trace(found: Trace) -> Iterator[str]:
    """A decision, its release and all behind it."""
    yield f"decision {found.decision_id}"
    if found.said is None:
        by = found.erased
        yield row("content", f"erased on {moment(by.at)} by {by.who}: {by.what}" if by else "erased; the record does not say by whom")
        yield row("still proved", "that this decision was recorded, when, and where in the log; who was in production then")
    else:
        said = found.said
        yield row("outcome", f"{said['outcome']}, PD {said['pd']:.2%}, score {said['score']}, band {said['band']}"
                  + (", degraded" if said["degraded"] else ""))
        for number, reason in enumerate(said["reasons"], 1):
            yield row(f"reason {number}", f"{reason['text']} ({reason['code']})")
        yield row("decided", f"{moment(said['decided_at'])} (business time)")
        for each in found.overrides:
            void = f" [NO EFFECT: {each.ignored}]" if each.ignored else ""
            yield row("overridden", f"by {each.who}, {moment(each.at)}: {each.what}{void}")
        yield row("release", f"{said['release_id']} (version {said['model_version'] or 'not known'})")
    yield row("recorded", f"{moment(found.recorded_at)}, entry {found.number} of {found.period}")
    yield row("commitment", found.commitment)
    if found.unconfirmed:
        yield row("answer", f"not known to have left: worker {found.unconfirmed} ended before that was shown")
    if found.objection:
        yield row("NOT ALLOWED", found.objection)
    elif found.said is not None and found.then.serving:
        drawn = f", experiment {found.experiment}" if found.experiment else ""
        yield row("allowed", f"the record let this release serve as {found.arm} then{drawn}")
    if found.shadow:
        yield row("shadow", f"release {short(found.shadow['release_id'])} would have said {found.shadow['outcome']}, "
                  f"PD {found.shadow['pd']:.2%}, score {found.shadow['score']}, band {found.shadow['band']}")
    if found.said is None:
        yield from in_production(found.then, "in production when it was recorded")
    elif found.behind:
        yield from background(found.behind)


def proof(found: Shown) -> Iterator[str]:
    """Where a record is in its log, and by whose key."""
    if found.fault:
        yield row("proof", f"NONE: {found.fault}")
        return
    origin, size, root = found.checkpoint.split("\n")[:3]
    yield row("proof", f"entry {found.index + 1:,} of {int(size):,} of {origin}, shown by {len(found.hashes)} hashes")
    yield row("root", root)
    yield row("signed by", f"{found.key} (compare it with the key you know)")


def replay(found: Replay, said: Mapping[str, Any]) -> Iterator[str]:
    """One decision made again; what differs is shown but for the values, which are the applicant's."""
    if found.same:
        yield (f"{found.decision_id}: the same to the last bit: {said['outcome']}, PD {said['pd']:.2%}, score {said['score']}, "
               f"{len(said['reasons'])} reasons, release {short(said['release_id'])}")
        return
    yield f"{found.decision_id} comes out otherwise; machine, code or record differ:"
    for name, (recorded, made) in found.differences.items():
        yield row(name, "differ" if name == "values" else f"recorded {recorded}, now {made}")


def advised(found: Advised) -> Iterator[str]:
    """What would have been approved instead."""
    yield f"{found.decision_id}: {found.outcome}, PD {found.pd:.2%}, release {short(found.release_id)}"
    yield f"{found.says}:" if found.changes else f"{found.says}."
    for each in found.changes:
        yield row(each.feature, f"{_plain(each.to)} {each.unit}".strip() + f" instead of {_plain(each.now)}")
    if found.pd_then is not None:
        yield f"Scored again with that, its PD is {found.pd_then:.2%}. This is advice; the reasons of the decision are another matter."


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.10g}"


def replays(found: Replayed) -> Iterator[str]:
    """How many came out the same, and the first that did not, with the fields that differ."""
    gone = f"; {found.erased:,} more were erased" if found.erased else ""
    if not found.differ:
        yield f"{found.total:,} decisions replayed, all the same to the last bit{gone}"
        return
    yield f"{len(found.differ):,} of {found.total:,} decisions come out otherwise; machine, code or record differ{gone}:"
    for one in found.differ[:FIRST]:
        yield f"  {one.decision_id}: {', '.join(one.differences)}"
    if len(found.differ) > FIRST:
        yield f"  and {len(found.differ) - FIRST:,} more (--json names them all)"


def reconsidered(found: Reconsidered) -> Iterator[str]:
    """The swap set as a table, and what made the difference."""
    yield f"release {short(found.release_id)} would have decided {found.changed:,} of {found.total:,} otherwise"
    yield f"  {'recorded':<10}{'instead':<10}{'decisions':>10}{'PD':>9}{'instead':>9}{'score':>8}{'instead':>9}{'moved':>8}"
    for one in found.swaps:
        yield (f"  {one['outcome']:<10}{one['other_outcome']:<10}{one['count']:>10,}{one['pd']:>9.2%}{one['other_pd']:>9.2%}"
               f"{one['score']:>8.1f}{one['other_score']:>9.1f}{one['score_move']:>+8.1f}")
    for cause, count in found.causes.items():
        parts = " as well as ".join(f"the {part}" for part in cause.split("+"))
        yield row(f"{count:,}", "by its parts together, none of them alone" if cause == TOGETHER else f"by {parts} alone")
