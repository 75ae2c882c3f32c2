"""A governance event in one readable sentence, for a terminal, a page and a person who was not there.

Responsible for wording alone: what an event says, who said it and how that is known. Judges nothing and leaves nothing out that matters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from governance.events import (
    Actor,
    AliasSeen,
    AnswerUnconfirmed,
    DataValidated,
    Event,
    GateFinding,
    GateWaived,
    ParityChecked,
    PersonErased,
    PromotionApproved,
    PromotionRejected,
    PromotionRequested,
    ReleaseCompared,
    ReleasePlaced,
    ReleasePromoted,
    ReleaseRefused,
    ReleaseRegistered,
    ReleaseRetired,
    ReleaseRolledBack,
    ReleaseSwapped,
    ReleaseWithdrawn,
    ReportIssued,
)
from governance.observations import (
    ChallengerTrained,
    DecisionOverridden,
    MonitoringBreached,
    OutcomesImported,
    VaultImported,
    VaultRead,
)
from governance.splits import Split

SHORT = 12
HOW = {"key": "own key", "mlflow": "MLflow UI, which names nobody", "process": "process"}


def short(release_id: str) -> str:
    """The beginning of an id, enough to tell it from others."""
    return release_id[:SHORT]


def who(by: Actor) -> str:
    """A name and how it is known, such as "ada (own key)"."""
    how = f"token, vouched for by {by.key}" if by.how == "token" else HOW[by.how]
    return f"{by.name} ({how}{', demo' if by.demo else ''})"


def sentence(event: Event) -> str:
    """What happened, without who and when."""
    return TOLD[type(event)](event)


def findings(gates: tuple[GateFinding, ...]) -> str:
    """Gates by their result: "12 gates passed", or which failed."""
    failed = [one.gate for one in gates if not one.passed]
    return f"{len(gates) - len(failed)} of {len(gates)} gates passed" + (f", failed: {', '.join(failed)}" if failed else "")


def registered(event: ReleaseRegistered) -> str:
    """The commit, and whether it says everything."""
    made = f"commit {short(event.commit)}" + (" with uncommitted changes" if event.dirty else "")
    signed = f"signed by {event.author}" if event.author else "unsigned"
    tried = f", experiment {event.experiment}" if event.experiment else ""
    return f"release {short(event.release_id)} registered as version {event.version} of {event.model}: {made}, {signed}{tried}"


def _validated(event: DataValidated) -> str:
    verdict = "passed" if event.success else "FAILED"
    return f"data validation {verdict}: {many(event.checks, 'check', 'checks')}, {many(event.warnings, 'warning', 'warnings')}"


def _compared(event: ReleaseCompared) -> str:
    low, high = event.interval
    return (f"release {short(event.challenger)} compared with {short(event.champion)} on {event.rows:,} rows ({event.part}): "
            f"Gini {event.gini_difference:+.4f} ({low:+.4f} to {high:+.4f})")


def _checked(event: ParityChecked) -> str:
    apart = [f"{one.column} in {one.mismatched:,}" for one in event.columns if one.mismatched]
    return (f"stored values of {many(event.decisions, 'decision', 'decisions')} compared online and offline: "
            f"{', '.join(apart) or f'all the same in {len(event.columns)} columns'}")


def _seen(event: AliasSeen) -> str:
    named = f"alias {event.alias} names version {event.version}, release {short(event.release_id) or 'unknown'}"
    recorded = f"the record says {short(event.instead_of)}" if event.instead_of else "the record knows none"
    return f"{named}; {recorded}{'; approved' if event.approved else '; not approved'}{'; put back' if event.put_back else ''}"


def shared(split: Split | None) -> str:
    """Of whom a challenger decides, behind its alias; nothing where there is no split."""
    return f" for {split.share:.1%} of applicants until {_day(split.until)} UTC, experiment {split.experiment}" if split else ""


def _requested(event: PromotionRequested) -> str:
    served = f"{event.alias}{shared(event.split)}"
    return (f"request {event.request_id}: let release {short(event.release_id)} (version {event.version}) serve as {served}; "
            f"{findings(event.gates)}{_because(event.reason)}")


def _promoted(event: ReleasePromoted) -> str:
    before = f" instead of {short(event.replaces)}" if event.replaces else ", the first"
    return (f"release {short(event.release_id)} (version {event.version}) promoted to {event.alias}{before} by request {event.request_id}; "
            f"{findings(event.gates)}{_because(event.reason)}")


def _rolled_back(event: ReleaseRolledBack) -> str:
    to = f"release {short(event.release_id)} (version {event.version})"
    return f"rolled back to {to} from {short(event.replaces)}{_because(event.reason)}"


def _placed(event: ReleasePlaced) -> str:
    before = f" instead of {short(event.replaces)}" if event.replaces else ""
    return f"release {short(event.release_id)} (version {event.version}) placed for {event.alias}{before}: {event.cause}"


def _swapped(event: ReleaseSwapped) -> str:
    before = f" instead of {short(event.replaces)}" if event.replaces else ", just started"
    return f"{event.worker} serves release {short(event.release_id)}{before}"


def _report(event: ReportIssued) -> str:
    return f"report {event.report} issued ({short(event.digest)}): {' '.join(event.found)}"


def _outcomes(event: OutcomesImported) -> str:
    return f"{many(event.rows, 'outcome', 'outcomes')} imported, known from {_day(event.came_at)} on ({short(event.digest)})"


def _protected(event: VaultImported) -> str:
    return f"protected attributes of {many(event.rows, 'row', 'rows')} imported into the vault ({', '.join(event.attributes)})"


def _overridden(event: DecisionOverridden) -> str:
    return f"decision {event.decision_id} overridden: {event.was} became {event.outcome}, {event.code}{_because(event.reason)}"


def _trained(event: ChallengerTrained) -> str:
    came = f"better, request {event.request_id}" if event.better else "not better beyond chance, nobody is asked"
    return (f"challenger {short(event.challenger)} (version {event.version}) trained on applications to {event.develop_until} against "
            f"{short(event.champion)}, for {many(len(event.breaches), 'breach', 'breaches')} of monitoring: {came}")


def many(count: int, one: str, more: str) -> str:
    """A count with its noun."""
    return f"{count:,} {one if count == 1 else more}"


def _day(moment: str) -> str:
    """A moment as it was written, to the minute."""
    return moment[:16].replace("T", " ")


def _because(reason: str) -> str:
    return f': "{reason}"' if reason else ""


TOLD: dict[type[Event], Callable[[Any], str]] = {
    DataValidated: _validated, ReleaseRegistered: registered, ReleaseCompared: _compared, ParityChecked: _checked,
    AliasSeen: _seen,
    PromotionRequested: _requested, ReleasePromoted: _promoted, ReleaseRolledBack: _rolled_back, ReleasePlaced: _placed,
    ReleaseSwapped: _swapped, ReportIssued: _report, OutcomesImported: _outcomes, VaultImported: _protected,
    DecisionOverridden: _overridden, ChallengerTrained: _trained,
    MonitoringBreached: lambda event: f"breach: {event.report} of {event.window}, release {short(event.release_id)}, in alert",
    VaultRead: lambda event: f"vault read for {event.purpose}: {many(event.rows, 'decision', 'decisions')}",
    PromotionApproved: lambda event: f"request {event.request_id} approved for release {short(event.release_id)}{_because(event.reason)}",
    PromotionRejected: lambda event: f"request {event.request_id} rejected for release {short(event.release_id)}{_because(event.reason)}",
    GateWaived: lambda event: f"gate {event.gate} waived for request {event.request_id} until {_day(event.until)}{_because(event.reason)}",
    ReleaseRetired: lambda event: f"release {short(event.release_id)} retired for good{_because(event.reason)}",
    ReleaseWithdrawn: lambda event: f"release {short(event.release_id)} withdrawn as {event.alias}{_because(event.reason)}",
    ReleaseRefused: lambda event: f"{event.who} refused release {short(event.release_id)} as {event.alias}: {event.why}",
    AnswerUnconfirmed: lambda event: f"decision {event.decision_id} is recorded, whether its answer left worker {event.worker} is unknown",
    PersonErased: lambda event: f"content of {many(len(event.entries), 'entry', 'entries')} erased{_because(event.reason)}",
}
