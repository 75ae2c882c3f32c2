"""Trying one application after another is noticed, by applicant and under other names, in bounded memory, and nobody is named."""

from __future__ import annotations

import random
from dataclasses import replace

from prometheus_client import CollectorRegistry
from real_files import Real
from served import GOOD
from worker import asked, page, post

from feature_repo.portfolios import load
from serving import alike
from serving.alike import APPLICANT, APPLICATION, PAUSE, WINDOW, Alike, Sketch
from serving.application import Application

LOANS, CARDS, GERMAN = (load(name) for name in ("consumer_loans", "card_default", "german_credit"))
MOST = 10
DRAW = random.Random(1)  # noqa: S311 - people of a test, no secret


class Watch:
    """A watch with a clock of its own, and what it counted."""

    def __init__(self, portfolio=LOANS) -> None:
        self.registry, self.now, self.portfolio = CollectorRegistry(), 0.0, portfolio
        self.watch = Alike(portfolio, self.registry, MOST, lambda: self.now)

    def ask(self, *applications: Application) -> Watch:
        for place, one in enumerate(applications):
            self.watch.look([one], [f"decision-{place}"])
        return self

    @property
    def told(self) -> dict[str, float]:
        return {each: self.registry.get_sample_value("tally_decisions_alike_total", {"alike": each}) for each in (APPLICANT, APPLICATION)}


def drawn(applicant: object, portfolio=LOANS) -> Application:
    """A stranger's application."""
    return Application(f"applicant-{applicant}", {
        column.name: DRAW.choice(column.level_names) if column.is_level else round(DRAW.uniform(column.low, column.high))
        for column in portfolio.requests}, {})


def tried(one: Application, steps: int, *, named: bool) -> list[Application]:
    """The same application with another amount each time, by the applicant (named) or under a new name."""
    name = LOANS.amount
    return [replace(one, applicant_id=one.applicant_id if named else f"name-{step}", values={**one.values, name: 1_000.0 + step})
            for step in range(steps)]


def test_who_asks_more_often_than_that_in_a_window_is_counted_and_nobody_else():
    watch = Watch().ask(*tried(drawn("a"), MOST, named=True))
    assert watch.told == {APPLICANT: 0, APPLICATION: 0}
    assert watch.ask(*tried(drawn("a"), 3, named=True), *map(drawn, range(3_000))).told == {APPLICANT: 3, APPLICATION: 0}
    watch.now += WINDOW + 1
    assert watch.ask(*tried(drawn("a"), MOST, named=True)).told[APPLICANT] == 3, "the hour is over"


def test_who_moves_one_value_under_ever_new_names_is_counted():
    assert Watch().ask(*tried(drawn("a"), MOST + 5, named=False)).told == {APPLICANT: 0, APPLICATION: 5}


def test_strangers_who_apply_for_what_many_apply_for_are_not_alike(data_dir):
    """A thousand real credits in one hour, of few numbers and many levels; one of them tried under new names."""
    rows = Real("german_credit", data_dir).translated.to_dict("records")
    credits_ = [Application(f"applicant-{place}", {column.name: row[column.name] for column in GERMAN.requests}, {})
                for place, row in enumerate(rows)]
    watch = Watch(GERMAN).ask(*credits_)
    assert watch.told == {APPLICANT: 0, APPLICATION: 0}
    assert watch.ask(*(replace(credits_[5], applicant_id=f"name-{step}") for step in range(MOST))).told[APPLICATION] >= 1


def test_where_requests_say_too_little_to_be_told_apart_only_applicants_are_counted():
    same = [replace(drawn("a", CARDS), applicant_id=f"name-{place}") for place in range(50)]
    assert Watch(CARDS).ask(*same).told == {APPLICANT: 0, APPLICATION: 0}


def test_a_sketch_never_counts_too_few_and_does_not_grow(monkeypatch):
    keys = [DRAW.getrandbits(64) - 2**63 for _ in range(30_000)]
    sketch = Sketch()
    told = [[sketch.add(key) for key in keys] for _ in range(3)]
    assert all(count >= time for time, counts in enumerate(told, 1) for count in counts)
    assert sum(count != time for time, counts in enumerate(told, 1) for count in counts) < 0.01 * 3 * len(keys)
    assert (len(sketch._first), len(sketch._second)) == (alike.CELLS, alike.CELLS)
    assert {sketch.add(1) for _ in range(300)} == set(range(1, 257)), "as many as a byte holds"
    monkeypatch.setattr(alike, "CELLS", 1_000)
    sketch.added = 501
    assert sketch.crowded


def test_a_crowded_window_ends_early(monkeypatch):
    watch = Watch()
    watch.ask(*tried(drawn("a"), MOST, named=True))
    monkeypatch.setattr(Sketch, "crowded", True)
    assert watch.ask(*tried(drawn("a"), 5, named=True)).told == {APPLICANT: 0, APPLICATION: 0}


def test_one_line_names_a_decision_and_nobody(caplog):
    Watch().ask(*tried(drawn("canary"), 40, named=True))
    (line,) = (record.getMessage() for record in caplog.records)
    assert line == f"more than {MOST} decisions on one applicant; the newest is decision-{MOST}"


def test_who_went_beyond_while_another_was_told_of_is_told_of_after_the_pause(caplog):
    watch, another = Watch(), drawn("b")
    watch.ask(*tried(drawn("a"), MOST + 1, named=True), *tried(another, MOST + 1, named=True))
    watch.now += PAUSE + 1
    watch.ask(*tried(another, 30, named=True))
    assert [record.getMessage().rpartition(" ")[2] for record in caplog.records] == [f"decision-{MOST}", "decision-0"]


def test_a_service_counts_decisions_and_not_answers_given_again(make_worker):
    api = make_worker(alike=2)
    counted = 'tally_decisions_alike_total{alike="applicant"}'
    assert f"{counted} 0.0" in page(api)
    post(api, [asked(GOOD)] * 3, [asked(GOOD)] * 3, headers={"Idempotency-Key": "once"})
    assert f"{counted} 1.0" in page(api)
