"""US Small Business Administration 7(a) loans: will the loan be charged off? 443,912 of them, undated: for volume, not for a cut-off.

The source filtered on its columns, which is why 21.5% and not the whole national file's 17.6% were charged off.
"""

from __future__ import annotations

from feature_repo.contract import Applicant, Ignored, Outcome, Request, Risk, Table, days
from feature_repo.portfolio import Portfolio
from feature_repo.sources import Csv

PORTFOLIO = Portfolio(
    name="sba_7a_volume",
    title="SBA 7(a) loans: will the loan be charged off?",
    tables=(
        Table(
            "loans",
            file="sba_7a_volume/sba_7a_volume.csv.gz",
            sha256=("8700d39f7be1e25558d47b924536c9ca79e207bfba74862f271fda516dacfcbd",),
            rows=(443_912, 443_912),
            attribution="U.S. Small Business Administration, 7(a) FOIA loan data; Li, M., Mickel, A. and Taylor, S. (2018), 'Should This Loan "
                        "be Approved or Denied?', Journal of Statistics Education 26(1), 55-66, doi:10.1080/10691898.2018.1434342. "
                        "Work of the US Government (17 U.S.C. 105)",
            reader=Csv(),
            columns=(
                Applicant(raw="SourceRow"),
                # Small loans go to the smallest and youngest firms: 29% of the lowest eighth were charged off, 8% of the highest.
                Request("loan_amount", raw="GrAppv", unit="USD", low=100, high=6_000_000, usual=(1_000, 5_000_000), risk=Risk.FALLS,
                        reason="The amount you asked for is small"),
                Request("guaranteed_amount", raw="SBA_Appv", unit="USD", low=50, high=6_000_000, usual=(500, 4_500_000), risk=Risk.FALLS,
                        reason="The amount that is guaranteed is small"),
                Request("business_age", raw="NewExist", fixed=True, levels={"1": "existing", "2": "new"},
                        reason="Loans to businesses as new, or as long established, as yours are charged off more often"),
                Request("industry", raw="NaicsSector", fixed=True, reason="Loans to firms of your industry are charged off more often",
                        levels={"11": "agriculture", "21": "mining", "22": "utilities", "23": "construction", "31-33": "manufacturing",
                                "42": "wholesale", "44-45": "retail", "48-49": "transport", "51": "information", "52": "finance",
                                "53": "real_estate", "54": "professional", "55": "holding_companies", "56": "administrative",
                                "61": "education", "62": "health", "71": "recreation", "72": "hotels_and_restaurants",
                                "81": "other_services", "92": "public"}),
                Request("revolving_line", raw="RevLineCr", levels={"Y": "yes", "N": "no"},
                        reason="Loans of the kind you asked for, a revolving line or not, are charged off more often"),
                # The programme of one-page applications; SBA took them for small loans of firms with a good record.
                Request("low_doc", raw="LowDoc", levels={"Y": "yes", "N": "no"},
                        reason="Loans asked for as you did, by the short or the full form, are charged off more often"),
                Ignored(raw="Term", because="for charged-off loans it is how long the loan lived, not what was asked for: alone it ranks the "
                                            "outcome with AUC 0.82, and nobody knows it before the decision"),
            ),
        ),
    ),
    # Undated, so that nothing here waits. A live loan's outcome is final at the end of its term: ten years, but for fixed assets (13 CFR 120.212).
    outcome=Outcome(raw="MIS_Status", bad=("CHGOFF",), good=("P I F",), matures_after=days(3_653)),
)


# Half is what the express programmes guarantee, whose lenders decide alone.
@PORTFOLIO.derived(unit="share of the loan", risk=Risk.FALLS, reason="The share of your loan that is guaranteed is small")
def guaranteed_share(guaranteed_amount, loan_amount):
    return guaranteed_amount / loan_amount
