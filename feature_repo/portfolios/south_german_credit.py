"""South German Credit (UCI): the credits of german_credit with corrected codes: will the borrower keep to the contract? Undated.

1,000 consumer credits of a bank in southern Germany, 1973 to 1975, in another order and with ten amounts or ages corrected. Bad credits were
oversampled: 30% is not a portfolio's rate, and a PD from it needs a prior correction before it is one.
"""

from __future__ import annotations

import numpy as np

from feature_repo.contract import Applicant, Outcome, Protected, Request, Risk, Table, days
from feature_repo.portfolio import Portfolio
from feature_repo.sources import ROW, Csv, Sampled

PORTFOLIO = Portfolio(
    name="south_german_credit",
    title="South German credit: will the borrower keep to the contract?",
    tables=(
        Table(
            "credits",
            file="german_credit/SouthGermanCredit.asc",
            sha256=("fc41f36d43482df98c90e0de996c097f1219db6177b136a26514e1face28f3aa",),
            rows=(1_000, 1_000),
            attribution="Groemping, U. (2019). South German Credit. UCI Machine Learning Repository. doi:10.24432/C5X89F. CC BY 4.0",
            reader=Csv(separator=" "),
            columns=(
                Applicant(raw=ROW),
                Request("checking_account", raw="status", levels={"1": "none", "2": "overdrawn", "3": "under_200", "4": "200_or_salary"},
                        reason="You have no current account here, or its balance is low"),
                Request("duration_months", raw="duration", unit="months", low=1, high=120, usual=(3, 84), risk=Risk.RISES,
                        reason="The repayment period you asked for is long"),
                Request("credit_record", raw="credit_history", fixed=True, reason="Your record with earlier credits, or that there is none, speaks against the credit",
                        levels={"0": "late_before", "1": "critical_or_elsewhere", "2": "none_or_all_paid", "3": "paid_till_now",
                                "4": "all_paid_here"}),
                Request("credit_purpose", raw="purpose", fixed=True, other=True, reason="Credits for the purpose you stated are repaid late more often",
                        levels={"0": "others", "1": "new_car", "2": "used_car", "3": "furniture", "4": "radio_tv", "5": "appliances",
                                "6": "repairs", "7": "education", "8": "vacation", "9": "retraining", "10": "business"}),
                Request("credit_amount", raw="amount", unit="DM", low=100, high=50_000, usual=(200, 20_000), risk=Risk.RISES,
                        reason="The amount you asked for is high"),
                Request("savings_held", raw="savings", reason="Your savings are small, or you stated none",
                        levels={"1": "unknown_or_none", "2": "under_100", "3": "under_500", "4": "under_1000", "5": "1000_or_more"}),
                Request("employed_since", raw="employment_duration", reason="You have been in your present employment for a short time, or have none",
                        levels={"1": "unemployed", "2": "under_1_year", "3": "under_4_years", "4": "under_7_years", "5": "7_years_or_more"}),
                # In the file small instalments go with bad credits, against what anyone expects: a level, so no direction is imposed on it.
                Request("instalment_rate", raw="installment_rate", levels={"1": "35_or_more", "2": "under_35", "3": "under_25", "4": "under_20"},
                        unit="% of disposable income", reason="Credits with an instalment as large for the income as yours are repaid late more often"),
                Request("other_debtors", raw="other_debtors", levels={"1": "none", "2": "co_applicant", "3": "guarantor"},
                        reason="Nobody guarantees the credit, or another asks for it with you"),
                Request("residence_since", raw="present_residence", reason="Credits to people as long at their address as you are repaid late more often",
                        levels={"1": "under_1_year", "2": "under_4_years", "3": "under_7_years", "4": "7_years_or_more"}),
                Request("assets_held", raw="property", reason="You stated no real estate or savings contract as security",
                        levels={"1": "none_or_unknown", "2": "car_or_other", "3": "savings_contract", "4": "real_estate"}),
                Request("instalments_elsewhere", raw="other_installment_plans", levels={"1": "bank", "2": "stores", "3": "none"},
                        reason="You pay instalments to others too"),
                Request("housing_kind", raw="housing", levels={"1": "for_free", "2": "rent", "3": "own"},
                        reason="Credits to people housed as you are are repaid late more often"),
                Request("credits_here", raw="number_credits", fixed=True, levels={"1": "one", "2": "two_or_three", "3": "four_or_five", "4": "six_or_more"},
                        reason="Credits to people with as many credits here as you are repaid late more often"),
                Request("occupation", raw="job", reason="Credits to people in your kind of work are repaid late more often",
                        levels={"1": "unemployed_or_unskilled_non_resident", "2": "unskilled", "3": "skilled", "4": "management"}),
                Request("people_maintained", raw="people_liable", fixed=True, levels={"1": "three_or_more", "2": "up_to_two"},
                        reason="Credits to people with as many dependants as you are repaid late more often"),
                Request("telephone_stated", raw="telephone", levels={"1": "none", "2": "registered"},
                        reason="Credits to people who state, or do not state, a telephone as you did are repaid late more often"),
                # Corrected, and still no sex: single men and women who are not single share a code.
                Protected("personal_status_and_sex", raw="personal_status_sex", reference="male married or widowed",
                          groups={"1": "male divorced or separated", "2": "female not single, or male single", "3": "male married or widowed",
                                  "4": "female single"}),
                Protected("age_group", raw="age", edges=((25, "under 25"), (40, "25 to 39"), (62, "40 to 61"), (np.inf, "62 and over")),
                          reference="25 to 39"),
                Protected("foreign_worker", raw="foreign_worker", groups={"1": "foreign worker", "2": "not a foreign worker"},
                          reference="not a foreign worker"),
            ),
        ),
    ),
    # The outcome is that of the whole contract, the longest of which is 72 months.
    # Groemping (2019) says that bad credits are heavily oversampled; of the bank's own rate we know no source.
    outcome=Outcome(raw="credit_risk", bad=("0",), good=("1",), matures_after=days(2_192), sampled=Sampled()),
)


@PORTFOLIO.derived(unit="DM per month", risk=Risk.RISES, reason="The monthly repayment is high")
def monthly_repayment(credit_amount, duration_months):
    return credit_amount / duration_months
