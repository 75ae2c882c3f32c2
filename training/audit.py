"""Whether the parts may make and judge a model: read after split, before anything is trained.

What must hold. No application and no applicant in two parts. In a dated portfolio every calibration row is later than development, every
test row later than both; every judged outcome is known, and had matured when outcomes were last seen; no stored value is other than what
was known when the application was made. A development outcome may become known after the test began: the test asks how the model does
on later applications, it replays no deployment. How many do is counted, since both parts then saw the same times.

Warns where the test repeats rows of development more often than development repeats itself. What validate found of single inputs
(`training.leakage`) and what `training.proxies` finds of protected groups belong to the same record. Never shows a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import pandas as pd
from scipy import stats

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from feature_repo.verdict import Broken
from training import leakage, proxies
from training.params import Count, Strict
from training.proxies import ProxiesParams, Told
from training.splits import CALIBRATION, DEVELOPMENT, PART, PARTS, TEST

Array = np.ndarray[Any, Any]
ALONE = ("leakage", "sides")  # subjects of validate: what single inputs know of the outcome
CHANCE = 1e-3  # below it, more repeated rows than development's own rate are no accident


class AuditParams(Strict, frozen=True):
    """Section audit."""

    twins: Annotated[float, msgspec.Meta(ge=0, le=1)]
    looked_up: Count
    proxies: ProxiesParams


class Finding(msgspec.Struct, frozen=True):
    """What does not hold, in words; stop ends the run. column: an input, empty where it is about none."""

    check: str
    severity: Literal["stop", "warn"]
    column: str
    words: str


class Overlap(msgspec.Struct, frozen=True):
    """applications, applicants: in two parts; twins: rows of the test equal to one that is learnt from in all inputs.

    by_chance: so many rows of development itself are equal to another, of as many as the test has.
    """

    applications: int
    applicants: int
    test: int
    twins: int
    by_chance: float


@dataclass(frozen=True)
class Evidence:
    """What earlier looks said: validate's broken promises about single inputs, and what the inputs tell of protected groups."""

    alone: tuple[Broken, ...]
    told: tuple[Told, ...]


class Times(msgspec.Struct, frozen=True):
    """Counts of rows; null where there is no time axis.

    out_of_order: not later than the part before; unknown, immature: judged without an outcome, or with one that had not matured;
    known_after_test_began: learnt from, fine; looked_up: applications whose stored values were looked up again; unknown_then: table ->
    how many of those have a value that is not the one known when they were made.
    """

    unknown: int
    out_of_order: int | None = None
    immature: int | None = None
    known_after_test_began: int | None = None
    looked_up: int = 0
    unknown_then: dict[str, int] = {}


class Audit(msgspec.Struct, frozen=True):
    """audit.json. alone: what validate found of single inputs and the outcome."""

    success: bool
    findings: tuple[Finding, ...]
    overlap: Overlap
    times: Times
    alone: tuple[Broken, ...]
    proxies: tuple[Told, ...]

    @property
    def strong(self) -> tuple[str, ...]:
        """The inputs that tell any protected group too well."""
        return tuple(sorted({name for told in self.proxies for name in told.strong}))


def of(portfolio: Portfolio, scope: pd.DataFrame, views: Path, seen: Evidence, params: AuditParams) -> Audit:
    """scope: the assembled applications with `part`; views: folder of the stored tables as featurize wrote them."""
    overlap, times = overlapping(portfolio, scope), timed(portfolio, scope, views, params)
    findings = (*_of_overlap(overlap, params), *_of_times(times), *_of_proxies(portfolio, seen.told, params.proxies))
    return Audit(all(each.severity != "stop" for each in findings), findings, overlap, times, seen.alone, seen.told)


def of_alone(failures: tuple[Broken, ...], warnings: tuple[Broken, ...]) -> tuple[Broken, ...]:
    """Of what validate found, that which is about single inputs and the outcome."""
    return tuple(each for each in (*failures, *warnings) if each.table in ALONE)


def overlapping(portfolio: Portfolio, scope: pd.DataFrame) -> Overlap:
    """Applications, applicants and whole rows that are in two parts."""
    judged = scope[scope[PART].notna()]
    applications, applicants = (int(judged.drop_duplicates([key, PART])[key].duplicated().sum()) for key in (APPLICATION_ID, APPLICANT_ID))
    rows = pd.util.hash_pandas_object(judged[[column.name for column in portfolio.raw_inputs]], index=False)
    is_test = (judged[PART] == TEST).to_numpy()
    learnt, test = rows[~is_test], rows[is_test]
    own = float(learnt.duplicated(keep=False).mean()) if len(learnt) else 0.0
    return Overlap(applications, applicants, len(test), int(test.isin(learnt).sum()), round(own * len(test), 1))


def timed(portfolio: Portfolio, scope: pd.DataFrame, views: Path, params: AuditParams) -> Times:
    """What the moments of applications, outcomes and stored values say."""
    judged = scope[scope[PART].notna()]
    unknown = int(judged[BAD].isna().sum())
    if not portfolio.is_dated:
        return Times(unknown)
    outcome, moments = portfolio.outcome, pd.to_datetime(judged[EVENT_TIME], utc=True)
    by_part = {part: moments[(judged[PART] == part).to_numpy()] for part in PARTS}
    matured = moments + outcome.matures_after
    seen = matured > outcome.observed_until if outcome.observed_until is not None else np.zeros(len(judged), dtype=bool)
    learnt, began = matured[(judged[PART] != TEST).to_numpy()], by_part[TEST].min()
    sample = proxies.evenly(judged, params.looked_up)
    return Times(unknown, _out_of_order(by_part), int(seen.sum()), int((learnt > began).sum()), len(sample),
                 _unknown_then(portfolio, sample, views))


def _out_of_order(by_part: dict[str, pd.Series]) -> int:
    """Rows of calibration not later than all of development, and of the test not later than all of both."""
    learnt = pd.concat([by_part[DEVELOPMENT], by_part[CALIBRATION]])
    pairs = ((by_part[CALIBRATION], by_part[DEVELOPMENT]), (by_part[TEST], learnt))
    return sum(int((later <= earlier.max()).sum()) for later, earlier in pairs if len(earlier))


def _unknown_then(portfolio: Portfolio, sample: pd.DataFrame, views: Path) -> dict[str, int]:
    """Per stored table, applications with a value that its newest row at or before them does not have. One that is missing is too old."""
    sample = sample.assign(**{EVENT_TIME: sample[EVENT_TIME].astype("datetime64[us, UTC]")}).sort_values(EVENT_TIME, kind="stable")
    found = {}
    for table in portfolio.views:
        if table is portfolio.applications or not isinstance(table.time, EventTime):
            continue
        then = leakage.as_of(sample.reset_index(drop=True), table, views)
        wrong = np.zeros(len(sample), dtype=bool)
        for column in table.stored:
            used, known = sample[column.name].to_numpy(), then[column.name].to_numpy()
            wrong |= pd.notna(used) & (used != known)
        found[table.name] = int(wrong.sum())
    return found


def _of_overlap(found: Overlap, params: AuditParams) -> Iterator[Finding]:
    for kind, count in (("applications", found.applications), ("applicants", found.applicants)):
        if count:
            yield _stop("overlap", f"{count} {kind} are in two parts, allowed none: what makes the model would judge it. Run the split "
                                   "stage again; nobody edits a part by hand")
    expected = found.by_chance / max(found.test, 1)
    p = float(stats.binom.sf(found.twins - 1, found.test, expected))
    if found.twins > found.by_chance + params.twins * found.test and p < CHANCE:
        words = (f"{found.twins} of {found.test} test rows equal one that is learnt from in every input; {found.by_chance:g} would if the "
                 f"test repeated development as development does itself, and {params.twins:.1%} more are allowed (audit.twins). See if "
                 "a file was delivered twice under new keys")
        yield Finding("overlap", "warn", "", words)


def _of_times(found: Times) -> Iterator[Finding]:
    counts = {
        "rows of a part have no known outcome, allowed none. Run the split stage again": found.unknown,
        "rows are not later than the part before them, allowed none: a model would be judged by its past. See develop_until "
        "and out_of_time_from (EventTime of the first table), and run the split stage again": found.out_of_order,
        "rows of a part have outcomes that had not matured when outcomes were last seen, allowed none: their goods may still go bad. "
        "See matures_after and observed_until of the outcome, and run the ingest stage again": found.immature,
        **{f"of {found.looked_up} applications have a stored value of {table} that is not the one known when they were made, allowed none. "
           "Run featurize and assemble again, and see what the table's time means": count for table, count in found.unknown_then.items()},
    }
    yield from (_stop("times", f"{count} {words}") for words, count in counts.items() if count)


def _of_proxies(portfolio: Portfolio, told: tuple[Told, ...], params: ProxiesParams) -> Iterator[Finding]:
    permitted = {column.name: column.permitted for column in portfolio.raw_inputs if column.permitted.strip()}
    for column in portfolio.derived_columns:  # an argument that is a copy itself and not permitted stops the run by itself
        rules = [permitted[argument] for argument in column.arguments if argument in permitted]
        if rules:
            permitted[column.name] = rules[0]
    for each in told:
        for tell in each.alone:
            says = f"{tell.input} alone tells {each.attribute} ({tell.group}) from the rest with AUC {tell.auc:.3f}"
            if tell.input in each.copies and tell.input in permitted:
                yield Finding("proxies", "warn", tell.input, f"{says}; declared as permitted: {permitted[tell.input]}")
            elif tell.input in each.copies:
                yield _stop("proxies", f"{says}, allowed below {params.copy_auc:g} (audit.proxies): it is the attribute under another "
                                       "name. Declare its column Ignored or Protected in the portfolio's file, or permitted='the rule by "
                                       "which it may be used'", tell.input)
            elif tell.input in each.strong:
                words = f"{says}; with it shuffled, all inputs together lose {tell.contribution:.3f} of theirs ({_together(each)})"
                yield Finding("proxies", "warn", tell.input, words)
        if each.together and each.together.auc >= params.strong_auc and not each.strong:
            yield Finding("proxies", "warn", "", f"no input alone tells {each.attribute}, all together do: AUC {_together(each)}")


def _together(each: Told) -> str:
    return f"{each.together.auc:.3f} for {each.together.group}" if each.together else ""


def _stop(check: str, words: str, column: str = "") -> Finding:
    return Finding(check, "stop", column, words)
