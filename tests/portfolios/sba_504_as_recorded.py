"""sba_504 without its rules: bad is what was ever charged off, and every loan counts, however young. For docs/out-of-time.md alone."""

from __future__ import annotations

from dataclasses import replace

from feature_repo.contract import Ignored, Risk, days
from feature_repo.portfolios import sba_504

LOANS, OUTCOME = sba_504.PORTFOLIO.applications, sba_504.PORTFOLIO.outcome
DAY = Ignored(raw=OUTCOME.bad_on.raw, because="known only after the outcome")

PORTFOLIO = replace(sba_504.PORTFOLIO, name="sba_504_as_recorded", tables=(replace(LOANS, columns=(*LOANS.columns, DAY)),),
                    outcome=replace(OUTCOME, within=None, bad_on=None, matures_after=days(0)))
PORTFOLIO.derived(unit="share of what both lend", risk=Risk.RISES, reason="Another lender's share is high")(sba_504.third_party_share)
