"""What the maturity rule and the outcome window do to a portfolio's bad rates, as two tables in text."""

from __future__ import annotations

import pandas as pd

from feature_repo.portfolios import load
from training import maturity, raw

SHARES = {maturity.EVER: "bad ever", maturity.WITHIN: "bad within"}


def show(portfolio: str) -> str:
    """Per vintage and per period: loans, bad as recorded, bad within the window, and whether they count yet."""
    declared = load(portfolio)
    read = raw.read(declared.applications, raw.find(declared, declared.applications))
    vintages, periods = maturity.table(declared, read), maturity.totals(declared, read)
    return f"{_rule(portfolio)}\n\n{_text(_vintages(vintages))}\n\n{_text(_periods(periods))}"


def _rule(portfolio: str) -> str:
    outcome = load(portfolio).outcome
    window = f"bad if so within {outcome.within.days} days of the application" if outcome.within else "bad as recorded, no window"
    seen = f"outcomes seen until {outcome.observed_until:%Y-%m-%d}" if outcome.observed_until else "outcomes seen"
    return f"{portfolio}: {window}; counted from an age of {outcome.matures_after.days} days on; {seen}"


def _vintages(vintages: pd.DataFrame) -> pd.DataFrame:
    mature, loans = vintages[maturity.MATURE], vintages[maturity.LOANS]
    counted = mature.where(mature < loans, "all").replace(0, "not yet")
    return pd.DataFrame({"vintage": vintages[maturity.VINTAGE], "loans": loans, **_shares(vintages), "counted": counted})


def _periods(periods: pd.DataFrame) -> pd.DataFrame:
    rates = {"bad rate without the rule": _percent(periods["without"]), "with it": _percent(periods["with"])}
    return pd.DataFrame({"period": periods["period"], "loans": periods[maturity.LOANS], **_shares(periods),
                         "counted": periods[maturity.MATURE], **rates})


def _shares(counted: pd.DataFrame) -> dict[str, pd.Series]:
    recorded = counted[maturity.RECORDED].clip(lower=1)
    return {said: counted[name].astype(str) + _percent(counted[name] / recorded).radd(" (").add(")") for name, said in SHARES.items()}


def _percent(share: pd.Series) -> pd.Series:
    return share.map(lambda each: "-" if pd.isna(each) else f"{each:.1%}")


def _text(table: pd.DataFrame) -> str:
    return table.to_string(index=False)
