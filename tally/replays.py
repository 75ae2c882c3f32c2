"""Decisions of the record made again: one, all of a span, or as another release would have made them.

Responsible for reading the record in pieces, with each release loaded once and progress shown. Refuses a span in which nothing is left to
replay. Spans are of the record's clock, [since, until).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Any

import pandas as pd
from tqdm import tqdm

from feature_repo import portfolios
from feature_repo.errors import LedgerError
from governance import promotion
from governance.ledger.entries import DECISION, Record, stamp
from serving.advice import Advised, advise
from serving.reconsideration import attribution, reconsider, swaps
from serving.replay import Replay, Scorers, again, many
from serving.scoring.counterfactual import changeable
from tally.checkout import Checkout
from tally.questions import Questions

CHUNK = 5_000
Content = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """From when until when decisions were recorded; None: without a bound."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def bounds(self) -> dict[str, str]:
        return {name: stamp(at.astimezone(UTC)) for name, at in (("since", self.since), ("until", self.until)) if at}


@dataclass(frozen=True)
class Replayed:
    """Decisions made again. erased: how many had no content any more."""

    total: int
    erased: int
    differ: tuple[Replay, ...]


@dataclass(frozen=True)
class Reconsidered:
    """What another release would have changed. swaps: rows of `serving.reconsideration.swaps`; causes: cause -> changed decisions."""

    release_id: str
    total: int
    changed: int
    swaps: list[dict[str, Any]]
    causes: dict[str, int]


def scorers(questions: Questions) -> Scorers:
    """The releases of a home, for the code of this checkout."""
    return Scorers(questions.releases, portfolios.load(questions.portfolio))


def one(questions: Questions, decision_id: str) -> tuple[Replay, Content]:
    """A decision made again with its own release, and what was recorded of it. Raises LedgerError where its content was erased."""
    content = questions.decision(decision_id).content
    return again(content, scorers(questions).of(content["release_id"])), content


def advised(questions: Questions, decision_id: str, may_change: Sequence[str]) -> Advised:
    """What would have been approved instead. Raises LedgerError where the content was erased or an input may not change."""
    content, known = questions.decision(decision_id).content, scorers(questions)
    if set(may_change) - set(allowed := changeable(known.portfolio)):
        raise LedgerError(f"--may-change names an input that may not change; there are {', '.join(allowed)}")
    return advise(content, known.of(content["release_id"]), may_change)


def fetch(questions: Questions, release_id: str) -> None:
    """Bring a release into the home, from the registry and verified, where it is not there: a challenger was never placed."""
    standing = promotion.standing(questions.events, questions.people)
    if release_id in standing.releases and not (questions.releases / release_id).is_dir():
        from tally import placing

        placing.fetched(Checkout(portfolios.load(questions.portfolio), questions.home), standing.releases[release_id], questions.people)


def every(questions: Questions, span: Span) -> Replayed:
    """All decisions of a span made again, each with its own release."""
    loaded, total, erased = scorers(questions), 0, 0
    differ: list[Replay] = []
    for chunk in chunks(questions, span, "replay"):
        contents = [record.content for record in chunk if not record.erased]
        total, erased = total + len(contents), erased + len(chunk) - len(contents)
        for release_id, those in by_release(contents):
            differ += [found for found in many(those, loaded.of(release_id)) if not found.same]
    if not total:
        raise LedgerError(f"no decision of {questions.portfolio} is left to replay in this span, {erased} were erased; "
                          "--from and --to are times of the record's clock")
    return Replayed(total, erased, tuple(differ))


def instead(questions: Questions, release_id: str, span: Span) -> pd.DataFrame:
    """What another release would have decided in a span: the frame of `serving.reconsideration`, in recorded order."""
    fetch(questions, release_id)
    loaded = scorers(questions)
    other = loaded.of(release_id)
    frames = [reconsider(those, loaded.of(recorded), other) for chunk in chunks(questions, span, "reconsider")
              for recorded, those in by_release([record.content for record in chunk if not record.erased])]
    if not frames:
        raise LedgerError(f"no decision of {questions.portfolio} is left in this span; --from and --to are times of the record's clock")
    return pd.concat(frames, ignore_index=True)


def summary(frame: pd.DataFrame, release_id: str) -> Reconsidered:
    """A frame of `instead` in a few figures."""
    causes = attribution(frame)
    table = [{str(name): value for name, value in row.items()} for row in swaps(frame).to_dict("records")]
    return Reconsidered(release_id, len(frame), sum(causes.values()), table, causes)


def chunks(questions: Questions, span: Span, title: str) -> Iterator[Sequence[Record]]:
    """The decisions of a span, some thousand at a time."""
    found = questions.book.records({DECISION}, **span.bounds)
    with tqdm(desc=title, unit=" decisions", disable=None) as bar:
        while chunk := list(islice(found, CHUNK)):
            yield chunk
            bar.update(len(chunk))


def by_release(contents: Sequence[Content]) -> Iterator[tuple[str, list[Content]]]:
    """Neighbouring decisions of one release."""
    return ((release_id, list(those)) for release_id, those in groupby(contents, key=lambda content: str(content["release_id"])))
