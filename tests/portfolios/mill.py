"""A portfolio of someone else, for tests: dated, with every kind of input a model can meet, rules and protected groups."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

from feature_repo.contract import Action, Applicant, Application, Outcome, Protected, Request, Risk, Rule, Stored, Table, days
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime

PORTFOLIO = Portfolio(
    name="mill",
    title="Mill loans: will the miller stop paying?",
    segments=("grain",),
    tables=(
        Table("orders", file="orders.csv", time=EventTime("asked", develop_until=date(2024, 6, 30), out_of_time_from=date(2024, 7, 1)),
              columns=(
            Application(raw="no"), Applicant(raw="miller"),
            Request("sacks", raw="s", low=1, high=1_000, risk=Risk.RISES, reason="Many sacks were asked for"),
            Request("stones", raw="st", low=0, high=12, nullable=True, risk=Risk.FALLS, reason="The mill has few stones"),
            Request("grain", raw="g", levels=("rye", "oats", "wheat"), other=True, reason="This grain sells badly"),
            Protected("guild", raw="gu", groups={"1": "town", "2": "country"}, reference="town"),
        )),
        Table("rivers", file="rivers.parquet", time=EventTime("seen"), columns=(
            Applicant(raw="miller"),
            Stored("flow", raw="f", low=-1, high=500, special=(-1,), risk=Risk.FALLS, fresh_for=days(60),
                   reason="The river carries little water"),
            Stored("ice_days", raw="i", low=0, high=200, risk=Risk.RISES, fresh_for=days(60), reason="The river was frozen for long"),
            Stored("weir", raw="w", levels=("oak", "stone"), fresh_for=days(60), reason="The weir is weak"),
            Stored("gauge", raw="ga", low=0, high=9, fresh_for=days(60), reason="The river carries little water"),
        )),
    ),
    outcome=Outcome(raw="paid", bad=("no",), good=("yes",), matures_after=days(90),
                    observed_until=datetime(2024, 12, 30, tzinfo=UTC)),
    rules=(
        Rule("frozen", when=lambda ice_days: ice_days > 190, action=Action.DECLINE, reason="The river is frozen nearly all winter"),
        Rule("large", when=lambda sacks: sacks > 990, action=Action.REFER, reason="An order of this size is looked at by a person"),
    ),
)


@PORTFOLIO.derived(unit="sacks per stone", risk=Risk.RISES, reason="Many sacks were asked for")
def sacks_per_stone(sacks, stones):
    return sacks / stones


@PORTFOLIO.derived(unit="log flow", reason="The river carries little water")
def log_flow(flow):
    return np.log(np.maximum(flow, 0.5))
