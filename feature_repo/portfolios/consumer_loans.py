"""Consumer instalment loans, simulated: will the borrower default within twelve months? Dated, 36 monthly vintages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial

import numpy as np

from feature_repo.contract import (
    Action,
    Applicant,
    Application,
    Ignored,
    Outcome,
    Protected,
    Request,
    Risk,
    Rule,
    Stored,
    Table,
    WhenStale,
    days,
)
from feature_repo.portfolio import Portfolio
from feature_repo.sources import Csv, Early, EventTime, Parquet

# Month-end files: the newest is at most 31 days old when it arrives on time, so 45 days forgives a late delivery, not a missed one.
Monthly = partial(Stored, fresh_for=days(45), when_stale=WhenStale.REFER)

PORTFOLIO = Portfolio(
    name="consumer_loans",
    title="Consumer instalment loans (simulated): will the borrower default within twelve months?",
    simulator="feature_repo.portfolios.consumer_loans_simulator",
    amount="loan_amount",
    segments=("loan_purpose", "sales_channel"),
    tables=(
        Table(
            "applications",
            file="applications.csv",
            reader=Csv(),
            time=EventTime("application_date", develop_until=date(2022, 6, 30), out_of_time_from=date(2022, 7, 1)),
            rows=(1_000, 10_000_000),
            columns=(
                Application(raw="application_no"),
                Applicant(raw="customer_no"),
                Request("loan_amount", raw="req_amount", unit="EUR", low=100, high=250_000, usual=(500, 100_000),
                        risk=Risk.RISES, reason="The amount you asked for is high"),
                Request("term_months", raw="req_term", unit="months", low=6, high=120, usual=(12, 84),
                        risk=Risk.RISES, reason="The repayment period you asked for is long"),
                Request("monthly_income", raw="net_income_mth", unit="EUR per month", low=100, high=1_000_000, usual=(400, 15_000),
                        risk=Risk.FALLS, reason="Your income is low for the credit you asked for"),
                Request("housing_cost", raw="housing_cost_mth", unit="EUR per month", low=0, high=50_000, usual=(0, 10_000),
                        missing=("n/a",), nullable=True, risk=Risk.RISES, reason="Your rent or mortgage payment is high, or you did not state it"),
                Request("months_employed", raw="empl_months", unit="months", low=0, high=720, usual=(0, 600),
                        risk=Risk.FALLS, reason="You have been in your current employment for a short time"),
                Request("months_at_address", raw="addr_months", unit="months", low=0, high=1_200, usual=(0, 900),
                        risk=Risk.FALLS, reason="You have lived at your current address for a short time"),
                Request("employment_status", raw="empl_type", reason="Your employment is temporary, irregular or has ended",
                        levels={"PERM": "permanent", "FIX": "fixed_term", "SELF": "self_employed", "PUB": "public_sector",
                                "RET": "retired", "NONE": "unemployed"}),
                Request("housing_status", raw="housing_cd", reason="You rent, share or live with family",
                        levels={"OWN": "owner", "MTG": "mortgage", "RENT": "tenant", "FAM": "with_family", "SHR": "shared"}),
                Request("home_region", raw="region_cd", fixed=True, reason="Loans in your region are repaid late more often",
                        levels={"R1": "capital", "R2": "north", "R3": "east", "R4": "south", "R5": "west", "R6": "harbour"}),
                Request("loan_purpose", raw="purpose_cd", fixed=True, other=True, reason="Loans for the purpose you stated are repaid late more often",
                        levels={"CAR": "car", "HOME": "home_improvement", "CONS": "debt_consolidation", "FURN": "furniture",
                                "TRAV": "travel", "MED": "medical"}),
                Request("sales_channel", raw="channel_cd", fixed=True, reason="Loans arranged the way you applied are repaid late more often",
                        levels={"BR": "branch", "WEB": "online", "APP": "mobile_app", "BRK": "broker"}),
                Protected("sex", raw="sex", groups={"M": "male", "F": "female"}, reference="male"),
                Protected("age_group", raw="age", edges=((25, "under 25"), (40, "25 to 39"), (62, "40 to 61"), (np.inf, "62 and over")),
                          reference="25 to 39"),
                Protected("ethnicity_group", raw="ethnic_cd", reference="majority",
                          groups={"1": "majority", "2": "minority A", "3": "minority B", "4": "minority C"}),
                Ignored(raw="old_score", because="the incumbent's score: its policy chose who was booked, a model must not learn it again"),
                Ignored(raw="old_decision", because="the incumbent's decision: it follows the application"),
                Ignored(raw="booked_on", because="known only after the decision"),
                Ignored(raw="interest_rate", because="priced from the incumbent's score, after the decision"),
                Ignored(raw="collections_flag", because="known only after the outcome"),
            ),
        ),
        Table(
            "bureau",
            file="bureau.parquet",
            reader=Parquet(),
            time=EventTime("snapshot_date"),
            rows=(2_000, None),
            columns=(
                Applicant(raw="customer_no"),
                Monthly("delinquencies_24m", raw="n_delinq_24m", unit="payments", low=0, high=100, usual=(0, 24), risk=Risk.RISES,
                       reason="Payments to other lenders were late in the last 24 months"),
                Monthly("inquiries_6m", raw="n_inq_6m", unit="inquiries", low=0, high=200, usual=(0, 40), risk=Risk.RISES,
                       reason="You applied for credit often in the last six months"),
                Monthly("open_accounts", raw="n_open", unit="accounts", low=0, high=500, usual=(0, 60), risk=Risk.RISES,
                       reason="You have many credit accounts open"),
                Monthly("total_debt", raw="bal_total", unit="EUR", low=0, high=1e9, usual=(0, 750_000), risk=Risk.RISES,
                       reason="What you owe to other lenders is high"),
                Monthly("debt_service", raw="instalments_mth", unit="EUR per month", low=0, high=1e6, usual=(0, 20_000), risk=Risk.RISES,
                       reason="Your monthly payments to other lenders are high"),
                Monthly("revolving_utilisation", raw="revolving_util", unit="share of limits; -1: no revolving account", low=-1, high=10,
                       usual=(-1, 2), special=(-1,), risk=Risk.RISES, reason="You use much of your card and overdraft limits"),
                Monthly("oldest_account_months", raw="oldest_acct_mths", unit="months", low=0, high=1_200, usual=(0, 900), risk=Risk.FALLS,
                       reason="Your credit history is short"),
                Ignored(raw="delivery_id", because="the bureau's delivery number says nothing of the applicant"),
            ),
        ),
        Table(
            "accounts",
            file="accounts.parquet",
            reader=Parquet(),
            time=EventTime("month_end"),
            rows=(2_000, None),
            columns=(
                Applicant(raw="customer_no"),
                Monthly("average_balance", raw="avg_bal_3m", unit="EUR", low=-1e6, high=1e8, usual=(-30_000, 200_000), risk=Risk.FALLS,
                       reason="The average balance of your current account is low"),
                Monthly("salary_months", raw="n_salary_6m", unit="of the last six months", low=0, high=6, usual=(0, 6), risk=Risk.FALLS,
                       reason="Your salary did not arrive in each of the last six months"),
                Monthly("overdrawn_days", raw="days_od_90", unit="of the last 90 days", low=0, high=92, usual=(0, 92), risk=Risk.RISES,
                       reason="Your current account was overdrawn in the last 90 days"),
                Monthly("returned_debits_6m", raw="n_returned_6m", unit="direct debits", low=0, high=200, usual=(0, 30), risk=Risk.RISES,
                       reason="Direct debits were returned unpaid in the last six months"),
                Monthly("savings_balance", raw="savings_bal", unit="EUR", low=0, high=1e8, usual=(0, 1_000_000), nullable=True,
                        risk=Risk.FALLS, reason="You have little or no savings with us"),
                Ignored(raw="load_batch", because="when the warehouse loaded the row, not when it became true"),
            ),
        ),
    ),
    # 367 days: by 2024-07-01 the loans of June 2023 have lived their twelve months to the last one, those of July have not.
    # The status is of a loan: an application that is old enough and has none was never booked.
    outcome=Outcome(raw="loan_status", bad=("default",), good=("paid",), rejected=("",), matures_after=days(367),
                    observed_until=datetime(2024, 7, 1, tzinfo=UTC),
                    early=Early(raw="dpd30_in_3m", yes=("Y",), no=("N",), matures_after=days(95),
                                meaning="30 or more days past due within three months of the loan")),
    rules=(
        Rule("loan_above_two_years_of_income", when=lambda loan_amount, monthly_income: loan_amount > 24 * monthly_income,
             action=Action.DECLINE, reason="The amount you asked for is more than two years of your income"),
        Rule("five_debits_returned", when=lambda returned_debits_6m: returned_debits_6m >= 5,
             action=Action.DECLINE, reason="Five or more direct debits were returned unpaid in the last six months"),
        Rule("payments_exceed_income", when=lambda debt_service, loan_amount, term_months, monthly_income: debt_service + loan_amount / term_months > 0.8 * monthly_income,
             action=Action.REFER, reason="Loan payments would take more than 80% of your income"),
    ),
)


@PORTFOLIO.derived(unit="share of income", risk=Risk.RISES, reason="The monthly instalment is high for your income")
def instalment_to_income(loan_amount, term_months, monthly_income):
    return loan_amount / term_months / monthly_income


@PORTFOLIO.derived(unit="years of income", risk=Risk.RISES, reason="What you owe to other lenders is high for your income")
def debt_to_income(total_debt, monthly_income):
    return total_debt / (12 * monthly_income)


@PORTFOLIO.derived(unit="share of income", risk=Risk.RISES, reason="Your monthly payments to other lenders are high for your income")
def debt_service_to_income(debt_service, monthly_income):
    return debt_service / monthly_income


@PORTFOLIO.derived(unit="EUR per month", risk=Risk.FALLS, reason="Little of your income is left after housing and loan payments")
def free_income(monthly_income, housing_cost, debt_service, loan_amount, term_months):
    return monthly_income - housing_cost - debt_service - loan_amount / term_months


@PORTFOLIO.derived(unit="ratio", risk=Risk.FALLS, reason="Your savings are small for the amount you asked for")
def savings_to_loan(savings_balance, loan_amount):
    return savings_balance / loan_amount
