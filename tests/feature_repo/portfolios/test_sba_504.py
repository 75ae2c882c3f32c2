"""sba_504 on the real file: every figure of its README, through the reading path of ingest."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from real_files import Real

from feature_repo.contract import APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.portfolios import load

OUTCOME = load("sba_504").outcome


@pytest.fixture(scope="module")
def sba(data_dir):
    return Real("sba_504", data_dir)


def test_rows_keys_and_dates_are_those_of_the_readme(sba):
    asked = sba.translated[EVENT_TIME]

    sba.states("54,805 x 16", "16.39% (8,982)", "ApprovalDate 1990-01-02 to 2013-02-01", "0..54804", "sorted by ApprovalDate")
    assert len(sba.translated) == 54_805
    assert sba.translated[APPLICATION_ID].tolist() == [str(row) for row in range(54_805)]
    assert (f"{asked.min():%Y-%m-%d}", f"{asked.max():%Y-%m-%d}") == ("1990-01-02", "2013-02-01")
    assert asked.is_monotonic_increasing
    assert (sba.written[OUTCOME.raw].value_counts()["CHGOFF"], f"{(sba.written[OUTCOME.raw] == 'CHGOFF').mean():.2%}") == (8_982, "16.39%")


def test_days_of_charge_off_are_those_of_the_readme(sba):
    gone = sba.written[OUTCOME.bad_on.raw]
    asked, lost = sba.translated[EVENT_TIME], pd.to_datetime(gone, utc=True)

    sba.states("1992-04-01 to 2014-01-31", "45,823", "set exactly when CHGOFF", "Median time to charge-off 68 months")
    assert (gone[gone != ""].min(), gone.max(), (gone == "").sum()) == ("1992-04-01", "2014-01-31", 45_823)
    assert ((gone != "") == (sba.written[OUTCOME.raw] == "CHGOFF")).all()
    assert round((lost - asked).dt.days.median() / 365.25 * 12) == 68


def test_missing_values_and_amounts_are_those_of_the_readme(sba):
    amount, other, sector = (sba.column(header) for header in ("GrossApproval", "ThirdPartyDollars", "NaicsSector2"))
    year = sba.translated[EVENT_TIME].dt.year

    sba.states("37,924", "16,850", "US$ 30,000 to 4,000,000, median 330,000", "100% empty to 2000, 77% in 2002, under 11% from 2003",
               "38-60% empty 1990-1999, 33% in 2000, none from 2001", "| CORPORATION, INDIVIDUAL, PARTNERSHIP | 17 |")
    assert (other.isna().sum(), sector.isna().sum(), sba.column("BusinessType").isna().sum()) == (37_924, 16_850, 17)
    assert (amount.min(), amount.max(), amount.median()) == (30_000, 4_000_000, 330_000)
    empty = other.isna().groupby(year).mean()
    assert (empty.loc[:2000].min(), round(empty[2002], 2)) == (1, 0.77)
    assert empty.loc[2003:].max() < 0.11
    unsaid = sector.isna().groupby(year).mean()
    assert (round(unsaid.loc[:1999].min(), 2), round(unsaid[2000], 2), round(unsaid.loc[2001:].max(), 2)) == (0.38, 0.33, 0)
    assert round(unsaid.loc[:1999].max(), 2) in {0.60, 0.61}


def test_bad_ever_and_within_the_window_by_period_are_those_of_the_readme(sba):
    asked = sba.translated[EVENT_TIME].dt.tz_convert(None)
    ever = sba.written[OUTCOME.raw] == "CHGOFF"
    lost = pd.to_datetime(sba.written[OUTCOME.bad_on.raw]) - asked
    stated = re.findall(r"(\d{4}-\d\d) \(([\d,]+)\):? ([\d.]+) / ([\d.]+) / ([\d.]+)%", sba.readme.split("By period")[1])

    assert [period for period, *_ in stated] == ["1990-99", "2000-03", "2004-06", "2007-13"]
    for period, rows, *shares in stated:
        inside = asked.dt.year.between(int(period[:4]), int(period[:2] + period[-2:]))
        found = [ever[inside].mean(), *((lost[inside].dt.days <= days).mean() for days in (1_096, OUTCOME.within.days))]
        assert f"{inside.sum():,}" == rows
        assert [100 * share for share in found] == pytest.approx([float(share) for share in shares], abs=0.055)


def test_what_ingest_counts_is_the_window_for_mature_loans_and_nothing_for_others(sba):
    asked, bad = sba.translated[EVENT_TIME], sba.translated[BAD]
    mature = asked <= pd.Timestamp("2014-01-31", tz="UTC") - pd.Timedelta(OUTCOME.matures_after)
    developed, tested = (bad[asked.dt.year.between(*years)] for years in ((1990, 2003), (2004, 2006)))

    assert bad.notna().equals(mature)
    assert (len(developed), int(developed.sum())) == (41_000, 629)
    assert (len(tested), int(tested.sum())) == (9_339, 1_232)


def test_what_is_known_only_afterwards_is_in_no_input(sba):
    inputs = {column.raw for column in load("sba_504").raw_inputs}

    assert not inputs & {"ChargeOffDate", "GrossChargeOffAmount", "LoanStatus", "ApprovalFiscalYear", "BorrZip", "BorrState",
                         "ProjectState"}


def test_losses_are_those_of_the_readme_and_stay_out_of_the_frame(sba, data_dir):
    """Ignored columns are dropped when the file is read, so this reads it once more."""
    whole = pd.read_csv(data_dir / load("sba_504").applications.file, dtype={"BorrZip": str})
    lost = whole[whole["LoanStatus"] == "CHGOFF"]

    sba.states("0 for 1,375 of the 8,982 CHGOFF loans, above GrossApproval for 282", "0.69", "7 rows repeat")
    assert (lost["GrossChargeOffAmount"] == 0).sum() == 1_375
    assert (lost["GrossChargeOffAmount"] > lost["GrossApproval"]).sum() == 282
    assert round((lost["GrossChargeOffAmount"] / lost["GrossApproval"]).mean(), 2) == 0.69
    assert whole.drop(columns="LoanRowId").duplicated().sum() == 7
    assert not {"GrossChargeOffAmount", "BorrZip"} & set(sba.written.columns)
