"""German Credit (UCI Statlog): 1,000 consumer credits of a bank in southern Germany, 1973 to 1975: will the borrower keep to the contract? Undated.

Names are those of the Statlog code book, several of whose codes are wrong: sex cannot be told from marital status, and foreign worker is
reversed. south_german_credit is the same credits with corrected meanings; use it where what a level means matters. Bad credits were
oversampled: 30% is not a portfolio's rate, and a PD from it needs a prior correction before it is one.
"""

from __future__ import annotations

import numpy as np

from feature_repo.contract import Applicant, Outcome, Protected, Request, Risk, Table, days
from feature_repo.portfolio import Portfolio
from feature_repo.sources import ROW, Csv, Sampled

PORTFOLIO = Portfolio(
    name="german_credit",
    title="German credit (Statlog): will the borrower keep to the contract?",
    tables=(
        Table(
            "credits",
            file="german_credit/german.data",
            sha256=("b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871",),
            rows=(1_000, 1_000),
            attribution="Hofmann, H. (1994). Statlog (German Credit Data). UCI Machine Learning Repository. doi:10.24432/C5NC77. CC BY 4.0",
            reader=Csv(separator=" ", header=False),
            columns=(
                Applicant(raw=ROW),
                Request("checking_account", raw="1", reason="The balance of your current account, or that you have none here, speaks against the credit",
                        levels={"A11": "overdrawn", "A12": "under_200", "A13": "200_or_salary", "A14": "none"}),
                Request("duration_months", raw="2", unit="months", low=1, high=120, usual=(3, 84), risk=Risk.RISES,
                        reason="The repayment period you asked for is long"),
                Request("credit_record", raw="3", fixed=True, reason="Your record with earlier credits, or that there is none, speaks against the credit",
                        levels={"A30": "none_or_all_paid", "A31": "all_paid_here", "A32": "paid_till_now", "A33": "late_before",
                                "A34": "critical_or_elsewhere"}),
                Request("credit_purpose", raw="4", fixed=True, other=True, reason="Credits for the purpose you stated are repaid late more often",
                        levels={"A40": "new_car", "A41": "used_car", "A42": "furniture", "A43": "radio_tv", "A44": "appliances",
                                "A45": "repairs", "A46": "education", "A48": "retraining", "A49": "business", "A410": "others"}),
                Request("credit_amount", raw="5", unit="DM", low=100, high=50_000, usual=(200, 20_000), risk=Risk.RISES,
                        reason="The amount you asked for is high"),
                Request("savings_held", raw="6", reason="Your savings are small, or you stated none",
                        levels={"A61": "under_100", "A62": "under_500", "A63": "under_1000", "A64": "1000_or_more", "A65": "unknown_or_none"}),
                Request("employed_since", raw="7", reason="You have been in your present employment for a short time, or have none",
                        levels={"A71": "unemployed", "A72": "under_1_year", "A73": "under_4_years", "A74": "under_7_years", "A75": "7_years_or_more"}),
                # Here and below: bands by number, of which the code book does not say where they begin; south_german_credit does.
                Request("instalment_rate", raw="8", levels={"1": "band_1", "2": "band_2", "3": "band_3", "4": "band_4"}, unit="% of disposable income",
                        reason="Credits with an instalment as large for the income as yours are repaid late more often"),
                Request("other_debtors", raw="10", reason="Nobody guarantees the credit, or another asks for it with you",
                        levels={"A101": "none", "A102": "co_applicant", "A103": "guarantor"}),
                Request("residence_since", raw="11", levels={"1": "band_1", "2": "band_2", "3": "band_3", "4": "band_4"}, unit="years",
                        reason="Credits to people as long at their address as you are repaid late more often"),
                Request("assets_held", raw="12", reason="You stated no real estate or savings contract as security",
                        levels={"A121": "real_estate", "A122": "savings_contract", "A123": "car_or_other", "A124": "none_or_unknown"}),
                Request("instalments_elsewhere", raw="14", reason="You pay instalments to others too",
                        levels={"A141": "bank", "A142": "stores", "A143": "none"}),
                Request("housing_kind", raw="15", reason="You do not live in a home of your own",
                        levels={"A151": "rent", "A152": "own", "A153": "for_free"}),
                Request("credits_here", raw="16", fixed=True, levels={"1": "band_1", "2": "band_2", "3": "band_3", "4": "band_4"}, unit="credits",
                        reason="Credits to people with as many credits here as you are repaid late more often"),
                Request("occupation", raw="17", reason="Credits to people in your kind of work are repaid late more often",
                        levels={"A171": "unemployed_or_unskilled_non_resident", "A172": "unskilled", "A173": "skilled", "A174": "management"}),
                Request("people_maintained", raw="18", fixed=True, levels={"1": "band_1", "2": "band_2"}, unit="people",
                        reason="Credits to people with as many dependants as you are repaid late more often"),
                Request("telephone_stated", raw="19", levels={"A191": "none", "A192": "registered"},
                        reason="Credits to people who state, or do not state, a telephone as you did are repaid late more often"),
                # The documented combinations: of A95, single women, there is nobody, which is one sign that the codes are wrong.
                Protected("personal_status_and_sex", raw="9", reference="male single",
                          groups={"A91": "male divorced or separated", "A92": "female divorced, separated or married", "A93": "male single",
                                  "A94": "male married or widowed", "A95": "female single"}),
                Protected("age_group", raw="13", edges=((25, "under 25"), (40, "25 to 39"), (62, "40 to 61"), (np.inf, "62 and over")),
                          reference="25 to 39"),
                # As documented, which is the wrong way round (Groemping, 2019).
                Protected("foreign_worker", raw="20", groups={"A201": "foreign worker", "A202": "not a foreign worker"},
                          reference="not a foreign worker"),
            ),
        ),
    ),
    # The outcome is that of the whole contract, the longest of which is 72 months.
    # Groemping (2019) says that bad credits are heavily oversampled; of the bank's own rate we know no source.
    outcome=Outcome(raw="21", bad=("2",), good=("1",), matures_after=days(2_192), sampled=Sampled()),
)


@PORTFOLIO.derived(unit="DM per month", risk=Risk.RISES, reason="The monthly repayment is high")
def monthly_repayment(credit_amount, duration_months):
    return credit_amount / duration_months
