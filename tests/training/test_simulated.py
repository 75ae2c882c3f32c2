"""A simulated portfolio is simulated once for the same rows, seed and source."""

from __future__ import annotations

from types import ModuleType

import pytest

from feature_repo.contract import Applicant, Outcome, Request, Table, days
from feature_repo.portfolio import Portfolio
from training import simulated
from training.raw import RAW

PEOPLE = Table("people", file="people.csv", columns=(Applicant(raw="id"), Request("x", raw="x", reason="x is high")))
SHOP = Portfolio(name="shop", title="A shop", tables=(PEOPLE,),
                 outcome=Outcome(raw="bad", bad=("1",), good=("0",), matures_after=days(1)), simulator="shop_simulator")


@pytest.fixture
def simulator(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop_simulator.py").write_text("one")
    module = ModuleType("shop_simulator")
    module.__file__ = str(tmp_path / "shop_simulator.py")
    module.calls = []

    def simulate(folder, rows, seed):
        module.calls.append((rows, seed))
        (folder / "people.csv").write_text("id,x,bad\n")

    module.simulate = simulate
    return module


def test_equal_rows_seed_and_source_are_simulated_once(simulator):
    for _ in range(2):
        simulated.ensure(SHOP, simulator, 10, 7)
    assert simulator.calls == [(10, 7)]


@pytest.mark.parametrize("change", ["rows", "seed", "source", "file", "stamp"])
def test_a_change_of_any_of_them_or_a_lost_file_simulates_again(simulator, tmp_path, change):
    simulated.ensure(SHOP, simulator, 10, 7)
    if change == "source":
        (tmp_path / "shop_truth_simulator.py").write_text("two")
    elif change == "file":
        (RAW / "shop" / "people.csv").unlink()
    elif change == "stamp":
        (RAW / "shop" / simulated.STAMP).write_text("{")

    simulated.ensure(SHOP, simulator, 11 if change == "rows" else 10, 8 if change == "seed" else 7)

    assert len(simulator.calls) == 2


def test_a_simulation_that_breaks_off_is_not_taken_for_a_whole_one(simulator):
    simulated.ensure(SHOP, simulator, 10, 7)
    whole = simulator.simulate

    def break_off(folder, rows, seed):
        raise KeyboardInterrupt

    simulator.simulate = break_off
    with pytest.raises(KeyboardInterrupt):
        simulated.ensure(SHOP, simulator, 11, 7)

    simulator.simulate = whole
    simulated.ensure(SHOP, simulator, 10, 7)
    assert len(simulator.calls) == 2
