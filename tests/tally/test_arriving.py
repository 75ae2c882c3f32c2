"""Late outcomes, protected attributes and overrides, by command: strict, kept for good, seen only after they came, erased with a person."""

from __future__ import annotations

import shutil
import stat
from datetime import datetime

import msgspec
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from approved import by, people, sign
from arrived import BAD, GOOD, TIMES, put_in_again
from decided import append, entries

from feature_repo.errors import DataError, IdentityError
from feature_repo.portfolios import load
from governance import events
from governance.ledger.entries import Entry
from governance.observations import OutcomesImported
from monitoring import outcomes, vault
from monitoring.outcomes import joined, known

CONTRACT = load("card_default")
SEX = CONTRACT.protected[0]


@pytest.fixture
def home(make_arrived):
    return make_arrived()


def as_of(home, day):
    """What was known of outcomes when a day began."""
    return known(home.folder / "outcomes", home.book.events(), people(), datetime.fromisoformat(f"{day}T00:00:00+00:00"))


def labels(home, day):
    """The outcomes of the first decisions of January that counted then."""
    home.run("export")
    frame = pd.read_parquet(home.folder / "windows" / "month" / "2026-01-01.parquet")
    return joined(frame, as_of(home, day), CONTRACT)["bad"].head(4).tolist()


def test_outcomes_count_once_they_are_old_enough_and_a_moment_before_does_not_see_them(home, monkeypatch):
    monkeypatch.setenv("TALLY_BUSINESS_TIME", "2026-03-01T00:00:00+00:00")
    first = home.file("march.csv", decision_id=home.names[:4], outcome=[GOOD, BAD, GOOD, BAD],
                      observed_at=["2026-01-20", "2026-01-20", "2026-02-20T12:00Z", "2026-02-20"])
    assert home.run("outcomes", "import", first).startswith("4 outcomes imported from march.csv")
    assert "was imported before" in home.run("outcomes", "import", first)
    monkeypatch.setenv("TALLY_BUSINESS_TIME", "2026-05-01T00:00:00+00:00")
    later = home.file("may.parquet", decision_id=home.names[:2], outcome=[GOOD, GOOD], observed_at=pd.to_datetime(["2026-04-01"] * 2))
    home.run("outcomes", "import", later)

    np.testing.assert_equal(labels(home, "2026-03-01"), [np.nan] * 4)
    np.testing.assert_equal(labels(home, "2026-03-02"), [np.nan, 1.0, 0.0, 1.0])
    np.testing.assert_equal(labels(home, "2026-05-01"), [np.nan, 1.0, 0.0, 1.0])
    np.testing.assert_equal(labels(home, "2026-05-02"), [0.0, 1.0, 0.0, 1.0])
    assert len(as_of(home, "2026-05-02").imports) == 2
    assert "4 outcomes imported, known from 2026-03-01" in home.run("history")


def test_once_bad_is_bad_whatever_is_seen_later_and_only_the_same_moment_again_corrects_it(home):
    def tape(name, seen, **outcomes):
        told = {home.names[int(place)]: said for place, said in outcomes.items()}
        home.run("outcomes", "import", home.file(name, decision_id=list(told), outcome=list(told.values()), observed_at=[seen] * len(told)))

    tape("january.csv", "2026-01-20", **{"0": BAD, "1": BAD, "2": BAD, "3": GOOD})
    tape("young.csv", "2026-01-25", **{"0": GOOD})
    tape("old.csv", "2026-04-01", **{"1": GOOD, "3": BAD})
    tape("corrected.csv", "2026-01-20", **{"2": GOOD})
    tape("seen again.csv", "2026-05-01", **{"2": GOOD})

    np.testing.assert_equal(labels(home, "2026-08-01"), [1.0, 1.0, 0.0, 1.0])
    frame = joined(pd.read_parquet(home.folder / "windows" / "month" / "2026-01-01.parquet"), as_of(home, "2026-08-01"), CONTRACT)
    assert frame.loc[frame["contradicted"], "decision_id"].tolist() == list(home.names[:2])


@pytest.mark.parametrize(("verb", "role"), [("outcomes", "servicer"), ("vault", "custodian")])
def test_importing_takes_a_role_of_its_own_and_nobody_else_has_anything_read(home, verb, role):
    file = home.file("no table.csv", decision_id=["nobody's"])
    with pytest.raises(IdentityError, match=f"olga does not have the role {role}, .*tally people new NAME --role {role}"):
        home.run(verb, "import", file, who="olga")
    assert not list(home.book.records({f"{verb}-imported"}))


def test_outcomes_signed_by_somebody_without_the_role_do_not_count(home):
    forged = OutcomesImported(by=by("olga"), at="", digest="0" * 64, rows=1, came_at="2026-01-01T00:00:00+00:00")
    append(home.book, [events.entry(sign(forged), forged.digest)])
    found = as_of(home, "2026-08-01")
    assert [why.split(": ")[1] for why in found.ignored] == ["olga does not have the role servicer, which this takes"]


def test_young_decisions_have_no_outcome_whatever_was_seen_of_them(home, monkeypatch):
    monkeypatch.setenv("TALLY_BUSINESS_TIME", "2026-01-31T00:00:00+00:00")
    home.run("outcomes", "import", home.file("o.csv", decision_id=home.names[:4], outcome=[BAD] * 4, observed_at=["2026-01-30"] * 4))
    assert labels(home, "2026-02-05") == pytest.approx([1.0, np.nan, np.nan, np.nan], nan_ok=True)


@pytest.mark.parametrize(("change", "said"), [
    ({"outcome": [GOOD, "late"]}, "outcome is none of the contract's texts .*: 1 row, the first is row 2"),
    ({"decision_id": ["nobody's", "nobody's"]}, "decision_id is of no recorded decision: 2 rows, the first is row 1"),
    ({"observed_at": ["2026-02-20", "soon"]}, "observed_at is no time such as"),
    ({"observed_at": ["2026-02-20", "2027-01-01"]}, "observed_at is after the file came: 1 row"),
    ({"observed_at": ["2026-02-20", "2025-01-01"]}, "observed_at is before the decision: 1 row"),
    ({"decision_id": None}, "names neither decision_id nor applicant_id"),
    ({"observed_at": None}, r"no column \['observed_at'\]"),
    ({"decision_id": None, "applicant_id": ["person 0", "person 1"]}, "several decisions by then; name the decision: decision_id: 1 row"),
    ({"decision_id": None, "applicant_id": ["person 0", "a stranger"]}, "the applicant has no recorded decision by then: 1 row"),
], ids=["text", "stranger", "no time", "future", "before", "no key", "no column", "several", "nobody"])
def test_a_file_that_breaks_its_promise_is_refused_whole_without_a_value(home, change, said):
    columns = {"decision_id": list(home.names[:2]), "outcome": [GOOD, BAD], "observed_at": ["2026-01-10", "2026-05-01"], **change}
    with pytest.raises(DataError, match=said) as refused:
        home.run("outcomes", "import", home.file("o.csv", **{name: value for name, value in columns.items() if value is not None}))
    assert not any(text in str(refused.value) for text in ("nobody's", "'late'", "stranger", "person 0"))
    assert not (home.folder / "outcomes").exists()


def test_two_outcomes_of_one_decision_at_one_moment_contradict_and_equal_rows_do_not(home):
    twice = {"decision_id": [home.names[0]] * 2, "observed_at": ["2026-05-01"] * 2}
    with pytest.raises(DataError, match="another outcome of the same decision"):
        home.run("outcomes", "import", home.file("o.csv", outcome=[GOOD, BAD], **twice))
    assert home.run("outcomes", "import", home.file("o.csv", outcome=[BAD, BAD], **twice)).startswith("1 outcome imported")


def test_outcomes_whose_file_is_gone_or_altered_stop_whoever_would_count_without_them(home):
    home.run("outcomes", "import", home.file("o.csv", decision_id=home.names[:1], outcome=[BAD], observed_at=["2026-05-01"]))
    (path,) = (home.folder / "outcomes").iterdir()
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + b"x")
    with pytest.raises(DataError, match="not what was imported"):
        as_of(home, "2026-08-01")
    path.unlink()
    with pytest.raises(DataError, match="bring the file back"):
        as_of(home, "2026-08-01")


def test_outcomes_that_nobody_signed_do_not_count(home):
    from recorded import write

    from governance.events import Actor
    from governance.ledger.writer import Ledger

    ledger = Ledger(home.book)
    forged = OutcomesImported(by=Actor("monitor", "process"), at="", digest="0" * 64, rows=1, came_at="2026-01-01T00:00:00+00:00")
    write(ledger, [events.entry(forged, forged.digest), events.entry(msgspec.structs.replace(forged, came_at="soon"), "soon"),
                   Entry("outcomes-imported", "torn", b"{}"), Entry("vault-imported", "torn too", b"{}")])
    ledger.close()
    found = as_of(home, "2026-08-01")
    assert found.frame.empty
    assert [why.split(": ")[1] for why in found.ignored] == [
        "outcomes-imported needs a person, not process", "it does not say when it came", "it cannot be read as what it claims to be"]


def test_a_copy_of_an_old_import_does_not_undo_a_correction(home):
    said = {"decision_id": home.names[:1], "observed_at": ["2026-05-01"]}
    for file, outcome in (("first.csv", BAD), ("corrected.csv", GOOD)):
        home.run("outcomes", "import", home.file(file, outcome=[outcome], **said))
    put_in_again(home, "outcomes-imported")
    found = as_of(home, "2026-08-01")
    assert found.frame["bad"].tolist() == [0.0]
    assert [why.split(": ")[1] for why in found.ignored] == ["it is a copy of an earlier entry"]


FORGED = {
    "unreadable": lambda digest: Entry("outcomes-imported", f"outcomes-imported:{digest}", b"{}"),
    "signed by nobody who may": lambda digest: events.entry(sign(OutcomesImported(by=by("olga"), at="", digest=digest, rows=1,
                                                                                  came_at="2026-01-01T00:00:00+00:00")), digest),
}


@pytest.mark.parametrize("forged", FORGED)
def test_an_entry_that_does_not_count_keeps_nobody_from_importing_the_same_outcomes(home, forged):
    file = home.file("o.csv", decision_id=home.names[:1], outcome=[BAD], observed_at=["2026-05-01"])
    home.run("outcomes", "import", file)
    (kept,) = (home.folder / "outcomes").iterdir()
    shutil.rmtree(home.folder / "ledger")
    append(home.book, [*entries(home.release, TIMES), FORGED[forged](kept.stem)])
    assert home.run("outcomes", "import", file).startswith("1 outcome imported from o.csv")
    assert "was imported before" in home.run("outcomes", "import", file)
    found = as_of(home, "2026-08-01")
    assert (found.frame["bad"].tolist(), found.imports, len(found.ignored)) == ([1.0], (kept.stem,), 1)
    append(home.book, [Entry("outcomes-imported", "outcomes-imported:copy", list(home.book.records({"outcomes-imported"}))[-1].body)])
    assert as_of(home, "2026-08-01").ignored[-1].endswith("it is a copy of an earlier entry")


def read_vault(home, day, noted):
    frame = pd.DataFrame({"decision_id": home.names[:3], "applicant_id": ["person 0", "person 1", "person 2"]})
    frame["application_id"] = frame["decision_id"]
    at = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    return vault.read(home.folder / "vault", frame, CONTRACT, at, noted.append)[SEX.name].tolist()


def test_the_vault_takes_groups_by_applicant_or_decision_and_every_read_is_noted_first(home, monkeypatch):
    raw, group = next(iter(SEX.groups.items()))
    other = next(name for name in SEX.group_names if name != group)
    said = home.run("vault", "import", home.file("v.csv", applicant_id=["person 0", "person 1"], **{SEX.raw: [raw, raw]}))
    assert said.startswith(f"2 rows imported into the vault ({SEX.name})")
    monkeypatch.setenv("TALLY_BUSINESS_TIME", "2026-08-01T00:00:00+00:00")
    home.run("vault", "import", home.file("w.csv", decision_id=[home.names[1]], **{SEX.name: [other]}))
    noted: list[int] = []
    assert read_vault(home, "2026-07-02", noted) == [group, group, None]
    assert read_vault(home, "2026-08-02", noted) == [group, other, None]
    assert read_vault(home, "2026-01-01", noted) == [None, None, None]
    assert noted == [2, 2, 0]

    def refuses(_: int) -> None:
        raise DataError("the record cannot be written")

    with pytest.raises(DataError, match="cannot be written"):
        read_vault(home, "2026-08-02", type("Refusing", (), {"append": staticmethod(refuses)})())
    files = [home.folder / "vault", *(home.folder / "vault").iterdir()]
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in files)
    assert group.encode() not in b"".join(record.body for record in home.book.events())


@pytest.mark.parametrize(("columns", "said"), [
    ({"applicant_id": ["a stranger"], SEX.name: [SEX.reference]}, "applicant_id is of nobody who was decided on"),
    ({"applicant_id": ["person 0"], SEX.name: ["purple"]}, f"{SEX.name} is no group of the contract"),
    ({"applicant_id": ["person 0"], "religion": ["none"]}, r"the file has \['religion'\]"),
    ({"applicant_id": ["person 0"] * 2, SEX.name: [SEX.reference] * 2}, "the same decision or applicant again: 1 row, the first is row 2"),
], ids=["stranger", "no group", "another column", "twice"])
def test_the_vault_takes_no_more_than_the_contract_declares_of_people_who_were_decided_on(home, columns, said):
    with pytest.raises(DataError, match=said) as refused:
        home.run("vault", "import", home.file("v.csv", **columns))
    assert not any(text in str(refused.value) for text in ("purple", "stranger", "person 0"))
    assert not (home.folder / "vault").exists()


def test_a_person_is_taken_out_of_the_vault_and_of_windows_and_their_outcomes_are_nobodys(home):
    home.run("vault", "import", home.file("v.csv", applicant_id=["person 0", "person 1"], **{SEX.name: [SEX.reference] * 2}))
    home.run("outcomes", "import", home.file("o.csv", decision_id=home.names[:2], outcome=[BAD, BAD], observed_at=["2026-05-01"] * 2))
    home.run("export")
    told = home.run("erase", "--applicant", "person 0", "--reason", "asked")
    assert "1 rows of the vault as well; 5 windows of monitoring removed" in told
    assert read_vault(home, "2026-08-01", []) == [None, SEX.reference, None]
    assert b"person 0" not in b"".join(path.read_bytes() for path in (home.folder / "vault").iterdir())
    assert "10 erased" in home.run("export")
    frame = pd.concat(pd.read_parquet(path) for path in (home.folder / "windows" / "month").iterdir())
    assert "person 0" not in set(frame["applicant_id"])
    kept = pq.read_table(next((home.folder / "outcomes").iterdir()))
    assert set(kept.column_names) == {"decision_id", "bad", "observed_at", outcomes.BAD_ON}
    again = home.file("p.csv", decision_id=home.names[:2], outcome=[GOOD, GOOD], observed_at=["2026-06-01"] * 2)
    assert "1 row is of erased decisions" in home.run("outcomes", "import", again)


def test_an_erasure_that_was_stopped_by_the_vault_is_finished_by_the_next(home):
    home.run("vault", "import", home.file("v.csv", decision_id=home.names[:1], **{SEX.name: [SEX.reference]}))
    home.run("vault", "import", home.file("w.csv", applicant_id=["person 0"], **{SEX.name: [SEX.reference]}))
    file = home.folder / "vault" / vault.FILE
    kept = file.read_bytes()
    file.write_bytes(b"no database" * 1_000)
    with pytest.raises(DataError, match="cannot be used"):
        home.run("erase", "--applicant", "person 0", "--reason", "asked")
    file.write_bytes(kept)
    assert "2 rows of the vault as well" in home.run("erase", "--applicant", "person 0", "--reason", "asked")
    assert read_vault(home, "2026-08-01", []) == [None] * 3


def test_nobody_is_erased_while_windows_are_made_which_would_hold_them_again(home):
    from tally.windows import alone

    with alone(home.folder / "windows"), pytest.raises(DataError, match="wait for it"):
        home.run("erase", "--applicant", "person 0", "--reason", "asked")
    assert not any(record.erased for record in home.book.records({"decision"}))
    assert not list(home.book.records({"person-erased"}))
