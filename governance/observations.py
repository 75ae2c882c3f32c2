"""What is recorded of watching a model: outcomes and groups that came, reads of the vault, overrides, breaches and what came of them.

No value of a person is in any of them, but the free text of an override, whose writer is asked to name nobody. Times are ISO 8601, UTC;
`came_at` is business time: what a moment before it could not know.
"""

from __future__ import annotations

from typing import Literal

from governance.actor import Event

Verdict = Literal["approve", "decline"]


class OutcomesImported(Event, frozen=True, kw_only=True):
    """Outcomes of decisions became known. digest: SHA-256 of the file they are kept in, which it is named after."""

    digest: str
    rows: int
    came_at: str


class VaultImported(Event, frozen=True, kw_only=True):
    """Protected attributes came into the live vault."""

    rows: int
    attributes: tuple[str, ...]
    came_at: str


class VaultRead(Event, frozen=True, kw_only=True):
    """Protected attributes were read out of the live vault. rows: of how many decisions; purpose: what for."""

    purpose: str
    rows: int


class DecisionOverridden(Event, frozen=True, kw_only=True):
    """A person decided otherwise than the service, or what it had referred. was: the service's outcome; code: of `overrides.REASONS`."""

    decision_id: str
    came_at: str
    was: str
    outcome: Verdict
    code: str
    reason: str


class MonitoringBreached(Event, frozen=True, kw_only=True):
    """A report on a window of a release's decisions is in alert, said once. digest: SHA-256 of its JSON as it was then."""

    window: str
    release_id: str
    report: str
    digest: str


class ChallengerTrained(Event, frozen=True, kw_only=True):
    """What came of breaches: a challenger on newer data, and whether it is better than the champion beyond chance.

    breaches: ids of the entries it answers; develop_until: last day of its development (ISO 8601); request_id: empty where nobody is asked.
    """

    champion: str
    challenger: str
    version: str
    breaches: tuple[str, ...]
    develop_until: str
    experiment: str
    better: bool
    request_id: str


OBSERVATIONS: dict[str, type[Event]] = {
    "outcomes-imported": OutcomesImported, "vault-imported": VaultImported, "vault-read": VaultRead,
    "decision-overridden": DecisionOverridden, "monitoring-breached": MonitoringBreached, "challenger-trained": ChallengerTrained,
}
