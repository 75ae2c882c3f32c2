"""Guarantees of the comparison: every pair is of the same inputs, who comes twice counts once, and no shadow is counted as a decision."""

from __future__ import annotations

import tracemalloc

import msgspec
import numpy as np
import pytest
from approved import agreed, append, beside, registered
from click.testing import CliRunner
from served import for_a_while

from feature_repo.errors import LedgerError
from governance.events import CHALLENGER
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, SHADOW_DECISION, Entry, canonical
from governance.ledger.writer import Ledger
from tally import arms, arms_told
from tally.__main__ import tally
from tally.questions import Questions
from tally.replays import Span

NAME = "card_default"
ANY = Span()


def decision(number: int, outcome: str, pd: float, **more: str) -> Entry:
    said = {"decision_id": f"d{number}", "applicant_id": f"a{number}", "release_id": "A", "outcome": outcome, "pd": pd, **more}
    return Entry(DECISION, f"d{number}", canonical(said))


def shadowed(number: int, outcome: str, pd: float) -> Entry:
    said = {"decision_id": f"d{number}", "applicant_id": f"a{number}", "release_id": "B", "beside": "A", "outcome": outcome, "pd": pd}
    return Entry(SHADOW_DECISION, f"{SHADOW_DECISION}:d{number}", canonical(said))


def recorded(home, *entries: Entry) -> Questions:
    ledger = Ledger(open_book(home / NAME / "ledger"))
    ledger.append(entries).result(10)
    ledger.close()
    return Questions(home, NAME)


def test_a_shadow_is_compared_with_the_decision_on_the_same_inputs(tmp_path):
    given = [("approve", "approve", 0.1, 0.1)] * 6 + [("approve", "refer", 0.1, 0.2)] * 1 + [("decline", "approve", 0.5, 0.1)] * 3
    asked = recorded(tmp_path, *(decision(number, one[0], one[2]) for number, one in enumerate(given)),
                     *(shadowed(number, one[1], one[3]) for number, one in enumerate(given)),
                     decision(98, "approve", 0.1), shadowed(99, "approve", 0.1))
    found = arms.compare(asked, ANY)
    (pairs,) = found.shadows
    assert (pairs.release_id, pairs.shadow, pairs.decisions, found.alone) == ("A", "B", 10, 1)
    assert pairs.moves == {"approve": {"approve": 6, "refer": 1}, "decline": {"approve": 3}}
    assert (pairs.agreement.value, pairs.approved.value, pairs.approved_by_shadow.value) == (0.6, 0.7, 0.9)
    assert (pairs.swapped_in, pairs.swapped_out, pairs.p_value) == (3, 1, pytest.approx(0.625))  # twice the chance of 3 of 4 heads or more
    assert pairs.pd_difference["mean"] == pytest.approx((0.1 - 3 * 0.4) / 10)
    assert pairs.pd_difference["largest"] == pytest.approx(0.4)
    told = list(arms_told.told(found))
    assert "  swapped         3 in, 1 out; chance alone parts them so far with p 0.62 (McNemar, exact)" in told
    assert "left out: 1 record of a shadow whose decision is not in this span" in told


def test_differences_of_pds_are_numpys_of_all_pairs(tmp_path):
    decided, said = np.random.default_rng(1).uniform(size=(2, 137)).round(3)
    asked = recorded(tmp_path, *(decision(number, "approve", pd) for number, pd in enumerate(decided.tolist())),
                     *(shadowed(number, "approve", pd) for number, pd in enumerate(said.tolist())))
    (pairs,) = arms.compare(asked, ANY).shadows
    moved = said - decided
    expected = dict(zip(("p05", "median", "p95"), np.quantile(moved, (0.05, 0.5, 0.95)), strict=True))
    assert {name: pairs.pd_difference[name] for name in expected} == expected
    assert pairs.pd_difference["mean"] == pytest.approx(moved.mean(), abs=1e-15)
    assert pairs.pd_difference["largest"] == abs(moved).max()


def test_memory_does_not_grow_with_the_record(tmp_path):
    peaks = []
    for size in (500, 8_000):
        entries = [entry for number in range(size) for entry in
                   (decision(number, "approve", 0.1, arm="champion", experiment="e"), shadowed(number, "refer", 0.2))]
        asked = recorded(tmp_path / str(size), *entries)
        del entries
        tracemalloc.start()
        assert arms.compare(asked, ANY).shadows[0].decisions == size
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000  # a list of 7,500 pairs alone would be ten times that


def test_an_applicant_counts_once_in_a_split_by_their_first_decision(tmp_path):
    append(tmp_path, NAME, [registered("B", version="2")])
    people = [*[("champion", "approve")] * 60, *[("champion", "decline")] * 20,
              *[("challenger", "approve")] * 8, *[("challenger", "refer")] * 12]
    first = [decision(number, outcome, 0.1, arm=arm, experiment="e") for number, (arm, outcome) in enumerate(people)]
    again = [Entry(DECISION, "again", canonical({**msgspec.json.decode(first[0].body), "decision_id": "again", "outcome": "decline"}))]
    found = arms.compare(recorded(tmp_path, *first, *again, decision(999, "approve", 0.1)), ANY)
    (of,) = found.experiments
    assert [(arm.arm, arm.applicants, arm.approved.value) for arm in of.arms] == [("champion", 80, 0.75), ("challenger", 20, 0.4)]
    assert (of.drawn.value, of.agreed, of.p_value) == (0.2, None, None)
    assert of.approvals.value == pytest.approx(-0.35)
    assert of.approvals.high < 0


def test_the_share_that_was_drawn_is_held_against_the_one_that_was_agreed_to(tmp_path):
    (tmp_path / "signers.yaml").write_text(signers())
    append(tmp_path, NAME, [registered("B", version="2"), *beside(CHALLENGER, for_a_while(0.5, "e"), *agreed("r", "B", "2"))])
    said = [decision(number, "approve", 0.1, arm=("challenger" if number < 10 else "champion"), experiment="e") for number in range(100)]
    (of,) = arms.compare(recorded(tmp_path, *said), ANY).experiments
    assert of.agreed == 0.5
    assert of.p_value < 1e-10


def signers() -> str:
    from approved import people

    from governance.enrolment import as_yaml

    return "".join(map(as_yaml, people()))


def test_where_nothing_is_to_be_compared_that_is_said_with_what_to_do(tmp_path):
    with pytest.raises(LedgerError, match="tally request --alias shadow, or tally split"):
        arms.compare(recorded(tmp_path, decision(1, "approve", 0.1)), ANY)


def test_the_command_tells_it_to_people_and_to_machines(tmp_path, monkeypatch):
    recorded(tmp_path, decision(1, "approve", 0.1), shadowed(1, "approve", 0.2))
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    told = CliRunner().invoke(tally, ["arms", NAME])
    assert "shadow B beside A: 1 decision, the same inputs" in told.output
    machine = CliRunner().invoke(tally, ["arms", NAME, "--json"])
    assert msgspec.json.decode(machine.output[machine.output.index("{"):])["shadows"][0]["decisions"] == 1
