"""A portfolio of someone else, for tests: dated, two stored tables, a stored level, every staleness policy."""

from __future__ import annotations

from datetime import UTC, date, datetime

from feature_repo.contract import Applicant, Application, Outcome, Request, Stored, Table, WhenStale, days
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime

PORTFOLIO = Portfolio(
    name="harbour",
    title="Boat loans: will the skipper stop paying?",
    tables=(
        Table("boats", file="boats.csv", time=EventTime("asked_at", develop_until=date(2023, 12, 31), out_of_time_from=date(2024, 1, 1)),
              columns=(
            Application(raw="no"), Applicant(raw="skipper"),
            Request("tonnage", raw="t", low=1, high=900, reason="The boat is heavy"),
            Request("flag", raw="f", levels=("Åland", "重い", "none"), reason="Boats under this flag are often lost"),
        )),
        Table("surveys", file="surveys.parquet", time=EventTime("surveyed_at"), columns=(
            Applicant(raw="skipper"),
            Stored("hull_wear", raw="w", low=-5, high=5, fresh_for=days(30), reason="The hull is worn"),
            Stored("rust", raw="r", levels=("ingen", "föhn", "錆"), fresh_for=days(30), reason="The hull rusts"),
            Stored("refits", raw="n", low=0, high=9, nullable=True, fresh_for=days(30), reason="The boat was refitted often"),
        )),
        Table("moorings", file="moorings.parquet", time=EventTime("billed_at"), columns=(
            Applicant(raw="skipper"),
            Stored("mooring_debt", raw="d", low=0, high=1e6, fresh_for=days(10), when_stale=WhenStale.REFUSE,
                   reason="Mooring fees are owed"),
            Stored("crew_wages", raw="c", low=0, high=1e6, fresh_for=days(10), when_stale=WhenStale.REQUEST,
                   reason="The crew is expensive"),
            Stored("first_mooring", raw="y", low=1900, high=2100,
                   reason="The boat is new to its mooring"),
        )),
    ),
    outcome=Outcome(raw="gone", bad=("1",), good=("0",), matures_after=days(31), observed_until=datetime(2024, 12, 31, tzinfo=UTC)),
)


@PORTFOLIO.derived(unit="per ton", reason="Mooring fees are high for the boat")
def debt_per_ton(mooring_debt, tonnage):
    return mooring_debt / tonnage
