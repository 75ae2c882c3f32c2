"""compare: against nobody, itself, another and one of another interface, by the record and not by an alias; what is found is recorded."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from borrowers import brought
from championed import let_serve

from feature_repo.errors import ReleaseError
from feature_repo.interface import describe
from governance import events
from governance.release import verify
from training import comparison, provenance, recorded, tracking
from training.stages import compare
from training.stages.register import example


@pytest.fixture(scope="module")
def plain(mill, mill_model, make_model):
    """A scorecard on the same applications."""
    return make_model(mill, mill_model.frame, train={"choice": {"prefer": "scorecard", "unless_better_by": 1.0}})


@pytest.fixture(scope="module")
def registry(mill, mill_model, plain, tmp_path_factory):
    """Both releases registered, the trees as the challenger; nobody serves until a test says so."""
    home = tmp_path_factory.mktemp("home")
    with brought(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALLY_HOME", str(home))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(mill_model.evaluate.parent)
        cards = {}
        for name, at in (("plain", plain), ("trees", mill_model)):
            release = verify(at.release)
            cards[name] = tracking.register(mill, release, tracking.Evidence({}, {}, provenance.tags(release), {}, example(release)))
        yield SimpleNamespace(**cards, home=home)


def run(mill, at, registry, folder):
    card = folder / "card.json"
    folder.mkdir(exist_ok=True)
    card.write_text(json.dumps({"version": registry.trees.version}))
    written = [folder / "comparison.json", folder / "comparison.html", folder / "plots"]
    compare.main(mill.name, at.assemble, at.split, at.vault, at.release, card, *written)
    return json.loads(written[0].read_bytes()), written[1].read_text(), (written[2] / "swaps.csv").read_text()


def said(mill):
    """What the record holds of comparisons."""
    with recorded.opened(mill.name) as book:
        return [event for _, event in events.every(book.events()) if isinstance(event, events.ReleaseCompared)]


def test_from_nobody_over_itself_to_another(registry, mill, mill_model, plain, tmp_path):
    tracking.let_champion_be(registry.plain)
    alone, page, table = run(mill, mill_model, registry, tmp_path / "alone")
    assert (alone["champion"], alone["compared"]) == (None, None), "an alias is no promotion"
    assert "No version is the champion yet" in page
    assert len(table.splitlines()) == 1

    let_serve(registry.home, mill.name, registry.trees.release_id, registry.trees.version)
    itself, page, _ = run(mill, mill_model, registry, tmp_path / "itself")
    assert itself["champion"]["version"] == registry.trees.version
    assert itself["compared"] is None
    assert "The challenger is the champion" in page
    assert said(mill) == []

    let_serve(registry.home, mill.name, registry.plain.release_id, registry.plain.version)
    tracking.let_champion_be(registry.trees)
    other, page, table = run(mill, mill_model, registry, tmp_path / "other")
    again = run(mill, mill_model, registry, tmp_path / "again")
    assert other["champion"] == {"release_id": verify(plain.release).id, "version": registry.plain.version, "model": "scorecard"}
    assert {"seen", "test", "swap"} == set(other["compared"])
    assert all(f"{side['applicants']:,}" in page for side in other["compared"]["swap"]["sides"])
    assert "swapped in" in table
    assert (other, page, table) == again


def test_what_was_found_is_recorded_once_with_the_interval_of_the_gini_difference(registry, mill, mill_model, plain, tmp_path):
    found, _, _ = run(mill, mill_model, registry, tmp_path / "once more")

    (event,) = said(mill)
    gap = found["compared"]["test"]["all"]["auc_difference"]
    assert (event.challenger, event.champion) == (verify(mill_model.release).id, verify(plain.release).id)
    assert (event.gini_difference, *event.interval) == pytest.approx([2 * gap[name] for name in ("value", "low", "high")])
    assert (event.rows, event.confidence) == (found["compared"]["test"]["all"]["challenger"]["rows"], 0.95)
    assert (event.part, event.by.how) == ("the test", "process")


def test_a_champion_of_another_interface_is_told_in_words_and_not_scored(registry, mill, mill_model, tmp_path, monkeypatch):
    before = said(mill)
    monkeypatch.setattr(comparison, "same_interface", lambda *_: False)
    found, page, _ = run(mill, mill_model, registry, tmp_path / "foreign")

    assert found["compared"] is None
    assert "was made for another interface" in page
    assert said(mill) == before


def test_an_altered_champion_is_not_compared_with(registry, mill, mill_model, tmp_path):
    (stored,) = [path for path in (registry.home / "mlflow").rglob("contract.json")
                 if (path.parent / "scorecard.csv").is_file()]
    before = stored.read_bytes()
    stored.write_text(json.dumps({**describe(mill), "title": "altered"}))
    try:
        with pytest.raises(ReleaseError, match="changed"):
            run(mill, mill_model, registry, tmp_path / "altered")
    finally:
        stored.write_bytes(before)
