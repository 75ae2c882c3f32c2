"""A portfolio that contradicts itself is refused in one line that names the place, and a sound one is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from feature_repo.contract import (
    RESERVED,
    Action,
    Applicant,
    Application,
    Ignored,
    Outcome,
    Protected,
    Request,
    Rule,
    Stored,
    Table,
    days,
)
from feature_repo.contradictions import undecided
from feature_repo.errors import ContractError
from feature_repo.portfolio import Portfolio
from feature_repo.sources import ROW, Csv, Early, EventTime, Sampled, Undated
from monitoring import window

LIMIT = 5
DATED = EventTime("asked", develop_until=date(2023, 6, 30), out_of_time_from=date(2023, 7, 1))
WEIGHT = Request("weight", raw="w", low=0, high=9, usual=(1, 5), reason="It is heavy")
FLAG = Protected("flag", raw="f", groups={"1": "red", "2": "blue"}, reference="red")
BOATS = Table("boats", file="boats.csv", time=DATED, columns=(Application(raw="no"), Applicant(raw="who"), WEIGHT, FLAG))
SURVEYS = Table("surveys", file="surveys.csv", time=EventTime("seen"),
                columns=(Applicant(raw="who"), Stored("rust", raw="r", reason="It rusts")))
OUTCOME = Outcome(raw="gone", bad=("1",), good=("0",), matures_after=days(9), observed_until=datetime(2024, 1, 1, tzinfo=UTC))


def declare(boats=BOATS, surveys=SURVEYS, outcome=OUTCOME, rules=()):
    return Portfolio(name="quay", title="Boats", tables=(boats, surveys), outcome=outcome, rules=rules)


def boats(*more, weight=WEIGHT, **changes):
    return replace(BOATS, columns=(*BOATS.columns[:2], weight, FLAG, *more), **changes)


def surveys(*more, **changes):
    return replace(SURVEYS, columns=(*SURVEYS.columns, *more), **changes)


def stored(name):
    return Stored(name, raw="x", reason="It is so")


def outcome(**changes):
    return replace(OUTCOME, **changes)


def twice_the_limit(weight):
    return 2 * weight


def rule(when, reason="It is so"):
    return Rule("limit", when=when, action=Action.REFER, reason=reason)


SIGN = Early(raw="late", yes=("y",), no=("n",), matures_after=days(5), meaning="late early")
WINDOW = replace(OUTCOME, within=days(9), bad_on=EventTime("lost"))


def early(**changes):
    return replace(OUTCOME, early=replace(SIGN, **changes))


def undated(outcome):
    return Portfolio(name="quay", title="Boats", tables=(replace(BOATS, time=Undated()),), outcome=outcome)


def made_elsewhere(limit):
    return lambda weight: weight > limit


def test_a_portfolio_without_a_contradiction_is_declared():
    portfolio = declare(rules=(rule(lambda weight: np.maximum(weight, max(1, 2)) > 5),))

    @portfolio.derived(reason="It is heavy")
    def double(weight):
        return sum(np.sqrt(weight) for _ in range(2))

    assert [column.name for column in portfolio.inputs] == ["weight", "rust", "double"]


CONTRADICTIONS = {
    "a request of the platform's name": (lambda: declare(boats(weight=replace(WEIGHT, name="score"))), "'score'.*such as bureau_score"),
    "a stored column of the platform's name": (lambda: declare(surveys=surveys(stored("pd"))), r"\['pd'\].*choose others"),
    "a name of what the table's age is called": (lambda: declare(surveys=surveys(stored("surveys_as_of"))), "twice.*surveys_as_of"),
    "a name of a protected attribute": (lambda: declare(surveys=surveys(stored("flag"))), "twice.*flag"),
    "a name that is none": (lambda: declare(surveys=surveys(stored("two words"))), "identifiers.*two words"),
    "two tables of one name": (lambda: declare(surveys=surveys(name="boats")), "tables declared twice.*boats"),
    "a raw column that is protected and asked": (lambda: declare(boats(replace(WEIGHT, name="hull", raw="f"))), r"quay\.boats: raw.*'f'"),
    "a raw column that is the outcome and asked": (lambda: declare(outcome=outcome(raw="w")), r"quay\.boats: raw.*'w'"),
    "a raw column that is the time and asked": (lambda: declare(boats(weight=replace(WEIGHT, raw="asked"))), "raw.*'asked'"),
    "a raw column twice in a stored table": (lambda: declare(surveys=surveys(replace(stored("oak"), raw="r"))), r"quay\.surveys: raw.*'r'"),
    "a reference that is no group": (lambda: declare(boats(replace(FLAG, name="mast", raw="m", reference="Red"))), r"mast.*'Red'.*'blue'"),
    "a text that is bad and good": (lambda: declare(outcome=outcome(good=("0", "1"))), r"more than one.*'1'"),
    "a text that is good and rejected": (lambda: declare(outcome=outcome(rejected=("0",))), r"more than one.*'0'"),
    "a text that is bad and neither": (lambda: declare(outcome=outcome(neither=("1",))), r"more than one.*'1'"),
    "a portfolio's bad rate nobody names": (lambda: declare(outcome=outcome(sampled=Sampled(portfolio_bad_rate=0.05))), "source that says"),
    "a source of no bad rate": (lambda: declare(outcome=outcome(sampled=Sampled(source="a book"))), "portfolio_bad_rate and the source"),
    "a portfolio's bad rate in per cent": (lambda: declare(outcome=outcome(sampled=Sampled(portfolio_bad_rate=5, source="a book"))),
                                           "bad rate is 5; it is a share"),
    "an outcome that is never bad": (lambda: declare(outcome=outcome(bad=())), "at least one text for bad"),
    "an input without a reason": (lambda: declare(boats(weight=replace(WEIGHT, reason=" "))), r"quay\.weight: reason is empty"),
    "a rule without a reason": (lambda: declare(rules=(rule(lambda weight: weight > 1, ""),)), r"quay\.limit: reason is empty"),
    "an undated stored table": (lambda: declare(surveys=surveys(time=Undated())), "without a time.*surveys"),
    "no day of observation": (lambda: declare(outcome=outcome(observed_until=None)), "observed_until"),
    "no cuts": (lambda: declare(boats(time=EventTime("asked"))), "develop_until.*None and None"),
    "one cut": (lambda: declare(boats(time=replace(DATED, out_of_time_from=None))), "develop_until.*2023-06-30 and None"),
    "cuts the wrong way": (lambda: declare(boats(time=replace(DATED, develop_until=date(2023, 7, 1)))), "after it, out_of_time_from"),
    "cuts of another table": (lambda: declare(surveys=surveys(time=replace(DATED, raw="seen"))), r"quay\.surveys.*the first table, boats"),
    "bounds the wrong way": (lambda: declare(boats(weight=replace(WEIGHT, low=10))), "low 10 is above high 9"),
    "the usual outside the bounds": (lambda: declare(boats(weight=replace(WEIGHT, usual=(-1, 5)))), r"usual \(-1, 5\).*low 0 and high 9"),
    "the usual the wrong way": (lambda: declare(boats(weight=replace(WEIGHT, usual=(5, 1)))), r"usual \(5, 1\) must rise"),
    "a rule with a constant from outside": (lambda: declare(rules=(rule(lambda weight: weight > LIMIT),)), r"limit: uses \['LIMIT'\]"),
    "a rule with a helper": (lambda: declare(rules=(rule(lambda weight: twice_the_limit(weight) > 1),)), "twice_the_limit"),
    "a rule that sees where it was made": (lambda: declare(rules=(rule(made_elsewhere(5)),)), r"\['limit'\]"),
    "a test that ends before it begins": (lambda: declare(boats(time=replace(DATED, out_of_time_until=date(2023, 6, 30)))),
                                          "out_of_time_until 2023-06-30 is before out_of_time_from 2023-07-01"),
    "an end of the test in another table": (lambda: declare(surveys=surveys(time=EventTime("seen", out_of_time_until=date(2024, 1, 1)))),
                                            r"quay\.surveys: .*out_of_time_until"),
    "a window without its day": (lambda: declare(outcome=outcome(within=days(9))), "both within.* and bad_on"),
    "a day without its window": (lambda: declare(outcome=outcome(bad_on=EventTime("lost"))), "both within.* and bad_on"),
    "a window in an undated portfolio": (lambda: undated(outcome=WINDOW), "boats has no time"),
    "a window that is over later than outcomes count": (lambda: declare(outcome=replace(WINDOW, within=days(10))), "at most matures_after"),
    "an early sign without a time axis": (lambda: undated(early()), "an early sign ages"),
    "an early sign that is no earlier": (lambda: declare(outcome=early(matures_after=OUTCOME.matures_after)), "less than the outcome's"),
    "an early sign of no age": (lambda: declare(outcome=early(matures_after=days(0))), "more than nothing"),
    "an early sign with one text for both": (lambda: declare(outcome=early(no=("y",))), "none for both"),
    "an early sign without a text": (lambda: declare(outcome=early(no=())), "one for no"),
    "an early sign that says nothing": (lambda: declare(outcome=early(meaning=" ")), "meaning of the early sign is empty"),
    "an early sign read from an input": (lambda: declare(outcome=early(raw="w")), r"raw.*'w'"),
    "a window of no days": (lambda: declare(outcome=replace(WINDOW, within=days(0))), "more than nothing"),
    "a window's day with cuts": (lambda: declare(outcome=replace(WINDOW, bad_on=replace(DATED, raw="lost"))), "bad_on takes no cuts"),
    "a raw column that is the window's day and asked": (lambda: declare(outcome=replace(WINDOW, bad_on=EventTime("w"))), r"raw.*'w'"),
    "a row's position in two tables": (lambda: declare(replace(BOATS, columns=(Applicant(raw=ROW), WEIGHT))), r"quay\.boats: .*ROW alone"),
    "a row's position as an input": (lambda: declare(boats(weight=replace(WEIGHT, raw=ROW))), r"only a key may be ROW.*'weight'"),
    "a row's position as the outcome": (lambda: declare(outcome=outcome(raw=ROW)), "no column of a file is the row's position"),
    "an empty separator": (lambda: declare(boats(reader=Csv(separator=""))), "separator is empty"),
    "a separator that is no pattern": (lambda: declare(boats(reader=Csv(separator="(;"))), "no regular expression"),
    "a separator that matches nothing": (lambda: declare(boats(reader=Csv(separator=" *"))), "no regular expression|matches"),
    "an encoding nobody knows": (lambda: declare(boats(reader=Csv(encoding="utf-9"))), "utf-9.*latin-1"),
    "an encoding that is none of text": (lambda: declare(boats(reader=Csv(encoding="hex"))), "'hex'"),
    "one mark for thousands and decimals": (lambda: declare(boats(reader=Csv(thousands="."))), "both '.'"),
    "a mark of two characters": (lambda: declare(boats(reader=Csv(thousands="''"))), "one character each"),
    "lines to skip below zero": (lambda: declare(boats(reader=Csv(skip=-1))), "skip is -1"),
    "a rule with a constant deep inside": (lambda: declare(rules=(rule(lambda weight: all(weight > LIMIT for _ in "a")),)), "LIMIT"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_contradiction_is_one_line_that_names_the_place(case):
    contradict, said = CONTRADICTIONS[case]
    with pytest.raises(ContractError, match=said) as error:
        contradict()

    assert "\n" not in str(error.value)
    assert str(error.value).startswith("quay")


@pytest.mark.parametrize(("name", "said"), [("bad", r"\['bad'\].*choose others"), ("outcome", "bureau_score"), ("weight", "twice"),
                                            ("flag", "twice"), ("surveys_as_of", "twice")])
def test_a_derived_feature_takes_no_name_that_is_taken(name, said):
    def function(weight):
        return weight + 1

    function.__name__ = name
    with pytest.raises(ContractError, match=said):
        declare().derived(reason="It is so")(function)


def test_a_derived_feature_has_a_reason_and_all_it_computes_in_its_own_lines():
    def limited(weight):
        return weight / LIMIT

    def bare(weight):
        return weight

    def fetched(weight):
        from math import pi
        return weight * pi

    with pytest.raises(ContractError, match=r"quay\.limited: uses \['LIMIT'\]"):
        declare().derived(reason="It is so")(limited)
    with pytest.raises(ContractError, match=r"quay\.bare: reason is empty"):
        declare().derived()(bare)
    with pytest.raises(ContractError, match="math"):
        declare().derived(reason="It is so")(fetched)


def test_a_window_and_a_row_for_a_key_are_no_contradiction():
    alone = replace(BOATS, columns=(Applicant(raw=ROW), WEIGHT, FLAG))
    asked_again = replace(BOATS, columns=(Application(raw=ROW), Applicant(raw="who"), WEIGHT, FLAG))

    assert Portfolio(name="quay", title="Boats", tables=(alone,), outcome=WINDOW).outcome.raws == ("gone", "lost")
    assert declare(asked_again, outcome=WINDOW).application_key.raw == ROW


OPEN = {
    "title": lambda: replace_of(title="DECIDE: what is it"),
    "outcome.bad": lambda: declare(outcome=outcome(bad=("DECIDE: which text is bad",))),
    "outcome.matures_after": lambda: declare(outcome=outcome(matures_after="DECIDE")),
    "outcome.bad_on.raw": lambda: declare(outcome=replace(WINDOW, bad_on=EventTime("DECIDE: which column"))),
    "boats.time.format": lambda: declare(boats(time=replace(DATED, format="DECIDE"))),
    "boats.reader.separator": lambda: declare(boats(reader=Csv(separator="DECIDE"))),
    "boats.sha256": lambda: declare(boats(sha256=("DECIDE",))),
    "weight.low": lambda: declare(boats(weight=replace(WEIGHT, low="DECIDE: how light can it be"))),
    "weight.reason": lambda: declare(boats(weight=replace(WEIGHT, reason="  DECIDE: why"))),
    "flag.groups": lambda: declare(boats(replace(FLAG, name="mast", raw="m", groups={"1": "DECIDE: whom"}))),
    "weight.levels": lambda: declare(boats(weight=replace(WEIGHT, levels={"DECIDE": "x"}))),
    "boats.note.because": lambda: declare(boats(Ignored(raw="note", because="DECIDE: why not"))),
    "limit.reason": lambda: declare(rules=(rule(lambda weight: weight > 1, "DECIDE"),)),
}


def replace_of(title):
    return Portfolio(name="quay", title=title, tables=(BOATS, SURVEYS), outcome=OUTCOME)


@pytest.mark.parametrize("place", OPEN)
def test_what_a_draft_left_to_a_person_is_refused_by_its_place(place):
    with pytest.raises(ContractError, match="still wait for a decision") as error:
        OPEN[place]()

    assert f"quay.{place.replace('flag.', 'mast.')}: " in str(error.value)


def test_all_that_is_undecided_is_said_at_once_and_a_header_that_only_begins_so_is_none():
    weight = replace(WEIGHT, unit="DECIDE: which unit", reason="DECIDE: why")
    tables = (boats(weight=weight), surveys(Ignored(raw="DECIDED_ON", because="it follows the decision")))

    found = undecided(tables, replace(OUTCOME, raw="DECIDE"), "DECIDE: a title")

    assert found == [("title", "DECIDE: a title"), ("outcome.raw", "DECIDE"), ("weight.unit", "DECIDE: which unit"),
                     ("weight.reason", "DECIDE: why")]


def test_a_derived_feature_left_to_a_person_is_refused():
    def double(weight):
        return 2 * weight

    with pytest.raises(ContractError, match=r"quay\.double\.reason: DECIDE"):
        declare().derived(reason="DECIDE: why")(double)


def test_every_column_that_the_platform_adds_to_the_inputs_is_reserved(mill):
    added = set(window.schema(mill).names) - {column.name for column in mill.inputs}

    assert added <= RESERVED
