"""gates: what would hold up a promotion is said on a page and stops no run; the champion and the comparison are those of the record."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from approved import checked
from championed import let_serve
from ledgers import entry

from feature_repo.portfolios import load
from governance import events, gates
from governance.ledger.book import open_book
from governance.ledger.writer import Ledger
from training import recorded
from training.stages import gates as stage

NAMES = ["data", "discrimination", "champion", "calibration", "monotonicity", "fairness-strict", "reasons", "fidelity", "stability",
         "parity", "people"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def run(release, folder):
    folder.mkdir(exist_ok=True)
    (folder / "card.json").write_text(json.dumps({"version": "7"}))
    written = [folder / "gates.json", folder / "gates.html", folder / "plots"]
    stage.main(release.manifest.portfolio, release.path, folder / "card.json", *written)
    return SimpleNamespace(**json.loads((folder / "gates.json").read_bytes()), page=(folder / "gates.html").read_text(),
                           table=(folder / "plots" / "impact.csv").read_text())


def not_passed(found):
    return [finding["gate"] for finding in found.findings if not finding["passed"]]


def test_every_gate_is_on_the_page_with_what_it_found_and_what_is_allowed(home, make_release, tmp_path, capsys):
    found = run(make_release(tmp_path / "release"), tmp_path / "out")

    assert [finding["gate"] for finding in found.findings] == NAMES
    assert not_passed(found) == []
    assert all(f"<td>{name}</td>" in found.page for name in NAMES)
    assert "29 CFR 1607.4(D)" in found.page
    assert "nothing yet" in found.page
    assert "All 11 gates let release" in capsys.readouterr().out
    assert found.table.splitlines()[0] == "segment,ratio,low,high,applications"
    assert "sex: female,1,0.930933,1.07419,1000" in found.table


def test_a_gate_that_does_not_pass_is_told_and_fails_no_run(home, make_release, tmp_path, capsys):
    found = run(make_release(tmp_path / "release", failing="fidelity"), tmp_path / "out")

    assert not_passed(found) == ["fidelity"]
    assert "not passed" in found.page
    told = capsys.readouterr().out
    assert "held up by fidelity until the model is mended" in told
    assert "60.0% of 1,500 named reasons lower the PD" in told


def test_against_a_champion_of_the_record_the_comparison_of_the_record_counts(home, make_release, tmp_path):
    champion, release = (make_release(tmp_path / name, intercept=intercept) for name, intercept in (("one", -1.0), ("two", -2.0)))
    let_serve(home, "card_default", champion.id, "3")

    without = run(release, tmp_path / "without")
    assert without.champion == {"release_id": champion.id, "version": "3"}
    assert not_passed(without) == ["champion"]

    recorded.append("card_default", events.ReleaseCompared(
        by=events.Actor("compare", "process"), at="2026-01-01T00:00:00+00:00", challenger=release.id, champion=champion.id, part="the test",
        rows=9000, gini_difference=0.01, interval=(-0.005, 0.025), confidence=0.95))
    assert not_passed(run(release, tmp_path / "with")) == []


def test_once_something_was_decided_the_newest_check_of_the_record_counts(home, make_release, tmp_path):
    release, ledger = make_release(tmp_path / "release"), Ledger(open_book(home / "card_default" / "ledger"))
    columns = [column.name for column in load("card_default").stored]
    ledger.append([entry("d1")]).result(10)
    assert not_passed(run(release, tmp_path / "without")) == ["parity"]

    for place, decisions in enumerate((1_000, 10, 1_000)):
        said = checked(columns, decisions)
        ledger.append([events.entry(said, f"{place}")]).result(10)
        assert not_passed(run(release, tmp_path / f"with {place}")) == (["parity"] if decisions < 300 else [])
    ledger.close()


def test_a_release_from_before_there_were_gates_gets_a_page_that_says_what_to_do(home, make_release, tmp_path):
    release = make_release(tmp_path / "release")
    from governance.release import seal

    for name in ("gates.json", "fairness.json", "release.json"):
        (release.path / name).unlink()
    old = seal(release.path, load("card_default"), model="scorecard", validation={"success": True}, lineage={})

    found = run(old, tmp_path / "out")

    assert len(not_passed(found)) == len(found.findings)
    assert "run evaluate again" in found.page
    assert len(found.table.splitlines()) == 1


def test_a_comparison_is_recorded_once_for_the_same_result(home, tmp_path):
    said = events.ReleaseCompared(by=events.Actor("compare", "process"), at="2026-01-01T00:00:00+00:00", challenger="a", champion="b",
                                  part="the test", rows=10, gini_difference=0.0, interval=(-0.1, 0.1), confidence=0.95)
    import msgspec

    for event in (said, msgspec.structs.replace(said, at="2026-01-02T00:00:00+00:00"), msgspec.structs.replace(said, rows=11)):
        recorded.append("card_default", event)

    with recorded.opened("card_default") as book:
        assert len([record for record in book.events() if record.kind == "release-compared"]) == 2
        assert gates.comparison(book.events(), "a", "b").rows == 11
        assert gates.comparison(book.events(), "b", "a") is None
