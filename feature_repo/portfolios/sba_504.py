"""US Small Business Administration 504 loans: will the loan be charged off within five years of approval? Dated, 1990 to 2013.

Fixed-asset loans to small firms. The file holds resolved loans alone, paid in full or charged off by 2014-01-31: those still open on that
day are absent, so the bad rates of late vintages are not the portfolio's. docs/out-of-time.md shows what that does and what holds against it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from feature_repo.contract import Applicant, Ignored, Outcome, Request, Risk, Table, days
from feature_repo.portfolio import Portfolio
from feature_repo.sources import Csv, EventTime

WINDOW = days(1_826)  # 60 months, in the shorter of the ways to count their leap days

PORTFOLIO = Portfolio(
    name="sba_504",
    title="SBA 504 loans: will the loan be charged off within five years of approval?",
    tables=(
        Table(
            "loans",
            file="sba_504/sba_504_loans.csv.gz",
            sha256=("11c2000505268760a843f467f1536ae272bf2b63c15dfd46d66ffe8fb0788a6c",),
            rows=(54_805, 54_805),
            attribution="U.S. Small Business Administration, 7(a) and 504 FOIA loan data. Work of the US Government (17 U.S.C. 105)",
            # 2007 and later, the stress, is judged by monitoring: it neither makes nor tests the model.
            time=EventTime("ApprovalDate", develop_until=date(2003, 12, 31), out_of_time_from=date(2004, 1, 1),
                           out_of_time_until=date(2006, 12, 31)),
            reader=Csv(),
            columns=(
                Applicant(raw="LoanRowId"),
                # Twenty years buy property, ten equipment, which is worth less when a firm fails.
                Request("term_months", raw="TermInMonths", unit="months", low=1, high=480, usual=(60, 300), risk=Risk.FALLS,
                        reason="The repayment period you asked for is short"),
                # As of the 7(a) loans, small ones go to the smallest and youngest firms: charge-offs fall with the amount in ten of the
                # twelve years of development, from 1.6% of the lowest quarter to 1.3% of the highest.
                Request("loan_amount", raw="GrossApproval", unit="USD", low=1_000, high=5_500_000, usual=(10_000, 4_000_000), risk=Risk.FALLS,
                        reason="The amount you asked for is small"),
                # Not recorded before 2001-2002 (100% empty to 2000, 77% in 2002, 8% in 2003): validate reports it, drift shows it.
                Request("third_party_amount", raw="ThirdPartyDollars", unit="USD", low=0, high=100_000_000, usual=(0, 20_000_000), nullable=True,
                        risk=Risk.RISES, reason="The amount another lender puts into your project is high, or you did not state it"),
                # Two digits of NAICS, grouped to sectors as its manual does. Empty for 38-60% of the nineties, for none from 2001.
                Request("industry", raw="NaicsSector2", fixed=True, nullable=True, other=True, reason="Loans to firms of your industry, or of none stated, are charged off more often",
                        levels={"11": "agriculture", "21": "mining", "22": "utilities", "23": "construction", "31": "manufacturing",
                                "32": "manufacturing", "33": "manufacturing", "42": "wholesale", "44": "retail", "45": "retail",
                                "48": "transport", "49": "transport", "51": "information", "52": "finance", "53": "real_estate",
                                "54": "professional", "55": "holding_companies", "56": "administrative", "61": "education",
                                "62": "health", "71": "recreation", "72": "hotels_and_restaurants", "81": "other_services",
                                "92": "public", "99": "unclassified"}),
                Request("business_form", raw="BusinessType", nullable=True, reason="Loans to businesses of your legal form are charged off more often",
                        levels={"CORPORATION": "corporation", "INDIVIDUAL": "individual", "PARTNERSHIP": "partnership"}),
                Ignored(raw="ProjectState", because="where a firm is stands in for who lives there, a proxy of protected groups (12 CFR 1002, "
                                                    "Supp. I, 6(a)-2, effects test); it also carries the housing bust of 2007 as a map"),
                Ignored(raw="BorrState", because="as ProjectState, from which it differs for one loan in two hundred"),
                Ignored(raw="BorrZip", because="a finer map than the state, and a closer proxy of protected groups"),
                Ignored(raw="ApprovalFiscalYear", because="the year of approval again: a model of calendar years has none for the next one"),
                # Both follow from how SBA delegated approval to the development company, which began in the late nineties.
                Ignored(raw="DeliveryMethod", because="who may approve, decided about the development company, and new methods began in the history"),
                Ignored(raw="SubpgmDesc", because="the programme's name, which repeats DeliveryMethod and holds one-off programmes"),
                Ignored(raw="GrossChargeOffAmount", because="the loss, known only after the outcome"),
            ),
        ),
    ),
    # Bad within the window and mature once it is over: a loan of 2006 and one of 1990 had the same five years to go bad.
    outcome=Outcome(raw="LoanStatus", bad=("CHGOFF",), good=("PIF",), within=WINDOW, bad_on=EventTime("ChargeOffDate"),
                    matures_after=WINDOW, observed_until=datetime(2014, 1, 31, tzinfo=UTC),
                    caveat="loans still open on 2014-01-31 are absent from the file, so the bad rates of late vintages overstate the portfolio's"),
)


# A firm brings 10% of its project, 15% if it is new or its building serves one purpose alone, 20% if both (13 CFR 120.910). What it brings
# takes the place of SBA's part, so a high share of the other lender marks the projects that the programme itself takes for risky.
@PORTFOLIO.derived(unit="share of what both lend", risk=Risk.RISES, reason="Another lender's share of your project's loans is high, or you did not state it")
def third_party_share(third_party_amount, loan_amount):
    return third_party_amount / (third_party_amount + loan_amount)
