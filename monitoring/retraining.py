"""When breaches of monitoring call for a challenger on newer data, and where its development ends.

Responsible for answering a breach once, for leaving the newest matured outcomes to the test, and for waiting until enough of them are new.
Trains nothing and asks nobody: `tally.retraining` does. Fairness is not among what newer data mend unless params.yaml says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from governance.events import ReleaseCompared
from governance.observations import ChallengerTrained

SHORT = 12
Count = Annotated[int, msgspec.Meta(ge=1)]


class RetrainParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section retrain. reports: whose alert calls for a challenger; windows: the newest ones that count.

    test_days: the newest days with matured outcomes, which judge it; least_days: by how much its development ends later than any before;
    better_by: what the lower bound of the Gini difference to the champion must exceed before people are asked.
    """

    reports: tuple[Literal["drift", "performance", "fairness", "parity"], ...]
    windows: Count
    test_days: Count
    least_days: Count
    better_by: Annotated[float, msgspec.Meta(ge=0, lt=1)]


class Breach(msgspec.Struct, frozen=True):
    """An alert of a report on a window of a release's decisions. release_id: at least how it begins."""

    window: str
    release_id: str
    report: str

    @property
    def unique(self) -> str:
        """What makes its event the only one."""
        return f"{self.window}:{self.release_id[:SHORT]}:{self.report}"

    @property
    def entry(self) -> str:
        """The id of its entry in the record."""
        return f"monitoring-breached:{self.unique}"


def unanswered(breaches: Iterable[Breach], champion: str, params: RetrainParams, done: Sequence[ChallengerTrained]) -> tuple[Breach, ...]:
    """The breaches of what serves that call for a challenger and got none yet."""
    answered = {entry for one in done for entry in one.breaches}
    return tuple(one for one in breaches
                 if champion.startswith(one.release_id) and one.report in {*params.reports} and one.entry not in answered)


def newest_matured(portfolio: Portfolio, now: datetime) -> date:
    """The last day whose applications are old enough for an outcome, as far as outcomes were seen."""
    seen = portfolio.outcome.observed_until
    return ((min(seen, now) if seen else now) - portfolio.outcome.matures_after).date()


def development_end(portfolio: Portfolio, newest: date, params: RetrainParams) -> date:
    """The last day of development that leaves the newest days to the test; what the contract leaves between them stays between them.

    Raises DataError for a portfolio without a time axis: nothing of it is newer.
    """
    time = portfolio.applications.time
    if not isinstance(time, EventTime) or time.develop_until is None or time.out_of_time_from is None:
        raise DataError(f"{portfolio.name} has no cuts in time, so no part of it is newer; bring new data and run: dvc repro")
    return newest - timedelta(days=params.test_days - 1) - (time.out_of_time_from - time.develop_until)


def too_early(until: date, learnt: date | None, champion: str, params: RetrainParams, done: Sequence[ChallengerTrained]) -> str:
    """Why a challenger would learn too little that is new; empty where it would not. learnt: the champion's last day of development."""
    tried = [date.fromisoformat(one.develop_until) for one in done if one.champion == champion]
    before = max([*tried, *([learnt] if learnt else [])], default=None)
    if before is None or until >= before + timedelta(days=params.least_days):
        return ""
    enough = before + timedelta(days=params.least_days)
    return (f"its development would end on {until}, one to {before} is there already, and what is new is enough from {enough} on "
            "(retrain.least_days). Bring newer outcomes, and move observed_until of the contract where it has one")


def is_better(found: ReleaseCompared | None, params: RetrainParams) -> bool:
    """Whether a challenger ranks the same outcomes better than the champion beyond chance; not where nobody compared them."""
    return found is not None and found.interval[0] > params.better_by
