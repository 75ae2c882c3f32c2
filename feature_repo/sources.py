"""How a raw file is written, when its rows became true, how they were drawn and what they show early: a contract's words about files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

BLANKS = r"\s+"
EARLY = "early"  # an early sign of the outcome, in the record of outcomes
ROW = "row number"  # as the raw column of a key: the row's position in the file, from 1; for files that have no key


@dataclass(frozen=True)
class Csv:
    """Delimited text; without a header, columns are named by position: "1", "2" and so on.

    separator: one character, or a regular expression where it is longer (`BLANKS`: runs of blanks; quoted values then have no line
    breaks). skip: lines above the header or the first row. thousands, decimal: how numbers are written, "1.234,5" is thousands="."
    and decimal=",".
    """

    separator: str = ","
    header: bool = True
    encoding: str = "utf-8-sig"
    thousands: str | None = None
    decimal: str = "."
    skip: int = 0


@dataclass(frozen=True)
class Parquet:
    """A Parquet file."""


@dataclass(frozen=True)
class Undated:
    """No time axis: every row happened at `NO_TIME`, and reports say so."""


@dataclass(frozen=True)
class EventTime:
    """When a row became true. The cuts belong to the applications table alone.

    develop_until: last day of development, inclusive; out_of_time_from, out_of_time_until: first and last day of the out-of-time test
    (no last day: to the end).
    """

    raw: str
    format: str = "%Y-%m-%d"
    develop_until: date | None = None
    out_of_time_from: date | None = None
    out_of_time_until: date | None = None

    def cut_after(self, day: date | None) -> EventTime:
        """The same axis with its cuts moved together, so that development ends with `day`; None: as declared."""
        if day is None or self.develop_until is None:
            return self
        by = day - self.develop_until
        test = tuple(one and one + by for one in (self.out_of_time_from, self.out_of_time_until))
        return replace(self, develop_until=day, out_of_time_from=test[0], out_of_time_until=test[1])


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """That rows were drawn by outcome, mostly more of the bad, so that the file's bad rate is no portfolio's.

    portfolio_bad_rate: share of bad among all that the outcomes of development were drawn from; PDs are brought to it. Where nobody knows
    it PDs stay the sample's, and that is said wherever they are judged. source: who says that rate, needed with it.
    """

    portfolio_bad_rate: float | None = None
    source: str = ""

    @property
    def says(self) -> str:
        """What a reader of a PD must know, in a clause."""
        if self.portfolio_bad_rate is None:
            return "rows were drawn by outcome, and the portfolio's bad rate is not declared: a PD is of this sample, not of a portfolio"
        return (f"rows were drawn by outcome; PDs and bad rates are those of a portfolio of which {self.portfolio_bad_rate:g} is bad "
                f"({self.source})")


@dataclass(frozen=True, kw_only=True)
class Early:
    """A sign of the outcome that is known long before it, such as 30 days past due within three months: for monitoring, never an input.

    meaning: what the sign is, in a clause. yes, no: raw texts; an empty row is unknown (not booked, or not old enough).
    matures_after: a sign counts only when the application is at least this old at `Outcome.observed_until`.
    """

    raw: str
    yes: tuple[str, ...]
    no: tuple[str, ...]
    matures_after: timedelta
    meaning: str
