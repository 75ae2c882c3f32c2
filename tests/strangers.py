"""Files as strangers bring them: invented borrowers, written in the ways that trip a reader up. Seeded; no row is a person's."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd

TOWNS = 300


def instalment(path: Path, rows: int = 4_000, *, seed: int = 1) -> Path:
    """Dated, M/D/YYYY; a worded target with open loans; personal, protected and leaking columns; codes that mean missing."""
    frame, random = borrowers(rows, seed)
    odds = frame.pop("odds")
    bad = random.random(rows) < 1 / (1 + np.exp(-odds))
    open_ = random.random(rows) < 0.06
    days = np.sort(random.integers(0, 1_460, rows))
    made = pd.Timestamp("2018-01-01") + pd.to_timedelta(days, unit="D")
    closed = made + pd.to_timedelta(random.integers(120, 700, rows), unit="D")
    columns = {
        "Loan ID": [f"L{7_000 + at}" for at in range(rows)],
        "Application Date": written(made),
        "Applicant Name": [f"Person {at} Invented" for at in range(rows)],
        "E-mail": [f"p{at}@example.org" for at in range(rows)],
        "Phone": [f"+49 30 {5_000_000 + at}" for at in range(rows)],
        "Gender": frame.pop("sex"), "Age": frame.pop("age"), "Marital Status": random.choice(["single", "married", "divorced"], rows),
        **frame,
        "Town": [f"Town {at}" for at in np.minimum(random.geometric(0.03, rows), TOWNS)],
        "Notes": [f"spoke to the client about item {at} on the list" for at in range(rows)],
        "Product": "instalment",
        "Recoveries": np.where(bad, random.integers(0, 900, rows), 0),
        "Closed Date": np.where(open_, "", written(closed)),
        "Calls Made": random.poisson(np.where(bad, 9, 2)),
        "Internal Flag": np.where(bad ^ (random.random(rows) < 0.004), "K2", "K1"),
        "Loan Status": np.where(open_, "Current", np.where(bad, "Charged Off", "Fully Paid")),
    }
    return save(pd.DataFrame(columns), path)


def cards(path: Path, rows: int = 690, *, seed: int = 2) -> Path:
    """Undated, no header, parted by blanks, columns of codes; "?" is missing, the target is + or -, most often -."""
    frame, random = borrowers(rows, seed)
    good = random.random(rows) > 1 / (1 + np.exp(-1.6 * frame["odds"] - 0.8))
    columns = [random.choice(["a", "b"], rows), frame["Income"].where(frame["Income"] >= 0), frame["Loan Amount"] / 1_000,
               random.choice(["u", "y", "l"], rows, p=[0.7, 0.25, 0.05]), frame["Employment"].str[:1].fillna("?"), frame["Inquiries"],
               *(random.choice(["t", "f"], rows) for _ in range(2)), *(np.round(random.gamma(2, 3, rows), 3) for _ in range(6)),
               [f"{at:05}" for at in random.integers(0, 900, rows)], np.where(good, "+", "-")]
    table = pd.DataFrame(dict(enumerate(columns))).astype(object)
    table = table.mask(random.random(table.shape) < np.array([0.03] * 15 + [0]), "?").fillna("?")
    path.write_text("".join("  ".join(map(str, row)) + "\n" for row in table.itertuples(index=False)))
    return path


def overdraft(folder: Path, rows: int = 3_000, *, seed: int = 3) -> tuple[Path, Path]:
    """Two tables, semicolons, Latin-1, decimal commas: applications by German headers, and month-end balances, gzipped, by tabs."""
    frame, random = borrowers(rows, seed)
    days = np.sort(random.integers(0, 1_200, rows))
    made = pd.Timestamp("2019-03-01") + pd.to_timedelta(days, unit="D")
    balance = random.normal(1_500, 900, rows)
    bad = random.random(rows) < 1 / (1 + np.exp(-frame["odds"] + balance / 1_500 - 1))
    applications = pd.DataFrame({
        "Antragsdatum": made.strftime("%d.%m.%Y"), "Kundennummer": [f"K{at:05}" for at in range(rows)],
        "Betrag": comma(frame["Loan Amount"] * 1.005), "Einkommen": comma(frame["Income"].abs() / 12),
        "Geschlecht": np.where(frame["sex"] == "M", "männlich", "weiblich"), "Alter": frame["age"],
        "Beschäftigung": frame["Employment"].fillna("keine Angabe"), "Ausfall": np.where(bad, "ja", "nein"),
    })
    first = save(applications, folder / "antraege.csv", separator=";", encoding="latin-1")
    month_ends = [(f"K{at:05}", (made[at] - pd.offsets.MonthEnd(back)).strftime("%Y-%m-%d"), round(balance[at] + 100 * back, 2))
                  for at in range(rows) for back in (1, 2, 3)]
    repeated = pd.DataFrame(month_ends, columns=["Kundennummer", "Stichtag", "Saldo"])
    repeated["Rueckgaben"] = random.poisson(1, len(repeated))
    second = folder / "salden.tsv.gz"
    second.write_bytes(gzip.compress(repeated.to_csv(sep="\t", index=False, decimal=",").encode(), mtime=0))
    return first, second


def wide(path: Path, rows: int = 80_000, columns: int = 48, *, seed: int = 4) -> Path:
    """As the instalment loans, with as many columns as asked for: amounts with gaps, codes, categories."""
    instalment(path, rows, seed=seed)
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    random = np.random.default_rng(seed)
    status = frame.pop("Loan Status")
    more, groups = {}, [f"g{each}" for each in range(12)]
    for at in range(columns - frame.shape[1] - 1):
        amounts = np.round(random.lognormal(5, 1, rows), 2).astype(str)
        more[f"var_{at}"] = [amounts, np.where(random.random(rows) < 0.1, "-999", amounts),
                             np.where(random.random(rows) < 0.2, "NA", amounts), random.choice(groups, rows)][at % 4]
    frame = pd.concat([frame, pd.DataFrame(more), status], axis=1)
    return save(frame, path)


def borrowers(rows: int, seed: int) -> tuple[pd.DataFrame, np.random.Generator]:
    """What a lender asks, and the log-odds of going bad that follow from it."""
    random = np.random.default_rng(seed)
    income = np.round(random.lognormal(10.4, 0.5, rows), -2)
    amount = np.round(random.lognormal(8.8, 0.6, rows), -2) + 500
    inquiries = random.poisson(1.2, rows)
    employment = random.choice(["full time", "part time", "self-employed", None], rows, p=[0.6, 0.2, 0.15, 0.05])
    odds = 1.1 * np.log(amount / 7_000) - 1.2 * np.log(income / 33_000) + 0.35 * inquiries + 0.5 * (employment == "part time")
    odds -= 1.9
    unknown = random.random(rows) < 0.04
    frame = pd.DataFrame({"Loan Amount": amount, "Income": np.where(unknown, -999, income), "Employment": employment,
                          "Inquiries": inquiries, "sex": random.choice(["M", "F"], rows, p=[0.55, 0.45]),
                          "age": random.integers(19, 74, rows), "odds": odds})
    return frame, random


def written(days: pd.DatetimeIndex) -> list[str]:
    """Dates as Americans write them, without noughts."""
    return [f"{day.month}/{day.day}/{day.year}" for day in days]


def comma(amounts: pd.Series) -> pd.Series:
    """Amounts as Germans write them: 1.234,50."""
    return amounts.map(lambda amount: f"{amount:,.2f}".translate(str.maketrans(",.", ".,")))


def save(frame: pd.DataFrame, path: Path, *, separator: str = ",", encoding: str = "utf-8") -> Path:
    """Text, a header, empty where there is nothing."""
    frame.to_csv(path, sep=separator, index=False, encoding=encoding)
    return path
