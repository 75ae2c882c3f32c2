"""A portfolio of someone else, for tests: headerless text, odd separators, codes that mean missing, words for an outcome."""

from __future__ import annotations

from datetime import UTC, date, datetime

from feature_repo.contract import Applicant, Application, Ignored, Outcome, Protected, Request, Severity, Stored, Table, days
from feature_repo.portfolio import Portfolio
from feature_repo.sources import Csv, EventTime

PORTFOLIO = Portfolio(
    name="orchard",
    title="Tree loans: will the grower stop paying?",
    tables=(
        Table("plots", file="plots.txt", reader=Csv(separator=" ", header=False), columns=(
            Application(raw="1"), Applicant(raw="3"),
            Request("acres", raw="4", low=0, high=5_000, usual=(10, 500), special=(0,), missing=("-9",), nullable=True,
                    reason="The plot is large"),
            Request("fruit", raw="5", levels={"A": "apple", "P": "pear"}, reason="This fruit sells badly"),
            Request("soil", raw="6", levels={"C": "clay"}, other=True, missing=("?",), nullable=True, reason="The soil is poor"),
            Request("slope", raw="7", low=0, high=90, special=(-1,), severity=Severity.WARN, reason="The plot is steep"),
            Protected("age_group", raw="8", edges=((40, "young"), (float("inf"), "old")), reference="old"),
            Protected("village", raw="9", groups={"N": "north", "S": "south"}, reference="north"),
            Ignored(raw="10", because="written after the harvest"),
        ), time=EventTime("2", format="%d.%m.%Y", develop_until=date(2019, 12, 31), out_of_time_from=date(2020, 1, 1))),
        Table("harvests", file="harvests.csv.gz", reader=Csv(separator=";", thousands=".", decimal=",", encoding="latin-1"),
              time=EventTime("day", format="%Y-%m-%d %H:%M:%S%z"), columns=(
            Applicant(raw="grower"),
            Stored("tons", raw="tönnen", low=0, high=1e6, fresh_for=days(400), reason="The last harvest was small"),
        )),
    ),
    outcome=Outcome(raw="11", bad=("lost", "sold"), good=("kept",), neither=("open",), matures_after=days(365),
                    observed_until=datetime(2021, 6, 30, tzinfo=UTC)),
)
