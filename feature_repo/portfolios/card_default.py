"""Credit cards, Taiwan 2005 (UCI): will the client miss the next payment? Undated."""

from __future__ import annotations

import numpy as np

from feature_repo.contract import (
    Action,
    Applicant,
    Outcome,
    Protected,
    Request,
    Risk,
    Rule,
    Stored,
    Table,
    days,
)
from feature_repo.portfolio import Portfolio

# Raw columns count from the newest month, September: PAY_0 and BILL_AMT1 are that month, PAY_2 and BILL_AMT2 the one before it.
MONTHS_BACK = range(1, 6)

PORTFOLIO = Portfolio(
    name="card_default",
    title="Credit cards, Taiwan 2005: will the client miss the next payment?",
    tables=(
        Table(
            "clients",
            file="taiwan_default/UCI_Credit_Card.csv",
            sha256=("a0f0ab49d6326671d6cd83be5c88dcf18007025fe9a53ecd699119c871176ca1",),
            rows=(30_000, 30_000),
            attribution="Yeh, I. (2009). Default of Credit Card Clients. UCI Machine Learning Repository. doi:10.24432/C55S3H. CC BY 4.0",
            columns=(
                Applicant(raw="ID"),
                Request("credit_limit", raw="LIMIT_BAL", unit="TWD", low=1_000, high=10_000_000, usual=(10_000, 1_000_000),
                        risk=Risk.FALLS, reason="The credit limit held is low"),
                Stored("months_late", raw="PAY_0", unit="months", low=-2, high=9, special=(-2,), risk=Risk.RISES,
                       fresh_for=days(45), reason="The latest payment was late"),
                *(Stored(f"months_late_{month}_back", raw=f"PAY_{month + 1}", unit="months", low=-2, high=9, special=(-2,), risk=Risk.RISES,
                         fresh_for=days(45), reason="Payments were late in recent months") for month in MONTHS_BACK),
                # No direction: development denies "the more is owed, the riskier". Where balances are high so are limits, and who owes nothing
                # may have stopped using the card: 24% of the lowest eighth missed the next payment, 19% of the highest. What is high for
                # the limit has its direction below.
                Stored("bill", raw="BILL_AMT1", unit="TWD", low=-1e7, high=1e7, fresh_for=days(45),
                       reason="Clients with a latest statement balance like yours miss payments more often"),
                *(Stored(f"bill_{month}_back", raw=f"BILL_AMT{month + 1}", unit="TWD", low=-1e7, high=1e7, fresh_for=days(45),
                         reason="Clients with statement balances of earlier months like yours miss payments more often")
                  for month in MONTHS_BACK),
                Stored("paid", raw="PAY_AMT1", unit="TWD", low=0, high=1e7, risk=Risk.FALLS, fresh_for=days(45),
                       reason="The latest payment was small"),
                *(Stored(f"paid_{month}_back", raw=f"PAY_AMT{month + 1}", unit="TWD", low=0, high=1e7, risk=Risk.FALLS,
                         fresh_for=days(45), reason="Payments were small in recent months") for month in MONTHS_BACK),
                Protected("sex", raw="SEX", groups={"1": "male", "2": "female"}, reference="male"),
                Protected("age_group", raw="AGE", edges=((25, "under 25"), (40, "25 to 39"), (62, "40 to 61"), (np.inf, "62 and over")),
                          reference="25 to 39"),
                Protected("marital_status", raw="MARRIAGE", groups={"1": "married", "2": "single", "3": "other", "0": "other"},
                          reference="married"),
                Protected("education", raw="EDUCATION", reference="university",
                          groups={"1": "graduate school", "2": "university", "3": "high school", "4": "other", "0": "other", "5": "other", "6": "other"}),
            ),
        ),
    ),
    outcome=Outcome(raw="default.payment.next.month", bad=("1",), good=("0",), matures_after=days(31)),
    rules=(
        Rule("four_months_late", when=lambda months_late: months_late >= 4, action=Action.DECLINE,
             reason="Payments on this card are four or more months late"),
    ),
)


@PORTFOLIO.derived(unit="ratio", risk=Risk.RISES, reason="Balances are high for the credit limit")
def utilisation(bill, credit_limit):
    return bill / credit_limit


# No direction: 29% of the eighth that paid most back missed the next payment, 16% of those whose balances had grown a little, 22% of the
# eighth whose had grown most.
@PORTFOLIO.derived(unit="ratio", reason="Clients whose balances changed for their limit as yours did miss payments more often")
def utilisation_change(bill, bill_5_back, credit_limit):
    return (bill - bill_5_back) / credit_limit


@PORTFOLIO.derived(unit="ratio", risk=Risk.FALLS, reason="Payments are small against the statement balance")
def paid_share(paid, bill_1_back):
    return paid / np.maximum(bill_1_back, 1.0)


@PORTFOLIO.derived(unit="months", risk=Risk.RISES, reason="Payments were late in recent months")
def worst_months_late(months_late, months_late_1_back, months_late_2_back, months_late_3_back, months_late_4_back, months_late_5_back):
    recent = np.maximum(np.maximum(months_late, months_late_1_back), months_late_2_back)
    return np.maximum(recent, np.maximum(np.maximum(months_late_3_back, months_late_4_back), months_late_5_back))


@PORTFOLIO.derived(unit="payments", risk=Risk.RISES, reason="Payments were late in recent months")
def late_payments(months_late, months_late_1_back, months_late_2_back, months_late_3_back, months_late_4_back, months_late_5_back):
    recent = np.maximum(np.sign(months_late), 0) + np.maximum(np.sign(months_late_1_back), 0) + np.maximum(np.sign(months_late_2_back), 0)
    earlier = np.maximum(np.sign(months_late_3_back), 0) + np.maximum(np.sign(months_late_4_back), 0) + np.maximum(np.sign(months_late_5_back), 0)
    return recent + earlier
