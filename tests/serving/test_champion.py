"""Guarantees of the release that serves: verified, of this interface, and answering as it did when it was made."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import BadZipFile

import pytest
from served import promote

from feature_repo.errors import ReleaseError
from feature_repo.portfolios import load as portfolio_of
from governance.release import MANIFEST, Release, seal
from serving.champion import GOLDEN, POINTER, Champions, load

PORTFOLIO = portfolio_of("card_default")


@pytest.fixture
def home(tmp_path, make_release) -> Path:
    promote(tmp_path, PORTFOLIO, make_release(tmp_path / "made"), "1")
    return tmp_path


def folder(home: Path) -> Path:
    return home / PORTFOLIO.name


def resealed(home: Path, change) -> Release:
    """Another release with other golden questions, sealed as if it were right."""
    made = home / "made"
    golden = json.loads((made / GOLDEN).read_bytes())
    (made / GOLDEN).write_text(json.dumps(change(golden)))
    (made / MANIFEST).unlink()
    release = seal(made, PORTFOLIO, model="scorecard", validation={}, lineage={})
    promote(home, PORTFOLIO, release, "2")
    return release


def test_a_champion_is_the_release_the_pointer_names(home):
    champion = load(folder(home), PORTFOLIO)
    assert champion.model_version == "1"
    assert champion.release.path.name == champion.release.id


def moved(golden, by: float):
    golden[-1]["decision"]["pd"] += by
    return golden


def reworded(golden):
    golden[-1]["decision"]["reasons"][0]["text"] += "!"
    return golden


@pytest.mark.parametrize(("change", "differs"), [(lambda golden: moved(golden, 1e-15), "pd"), (reworded, "reasons")])
def test_an_answer_other_than_the_golden_one_is_refused_to_the_last_bit_and_letter(home, change, differs):
    resealed(home, change)
    with pytest.raises(ReleaseError, match=f"otherwise than when it was made.*{differs}"):
        load(folder(home), PORTFOLIO)


def test_a_release_without_golden_questions_is_refused(home):
    resealed(home, lambda _: [])
    with pytest.raises(ReleaseError, match="no golden questions"):
        load(folder(home), PORTFOLIO)


@pytest.mark.parametrize(("pointer", "said"), [(None, "no release was placed"), ("{", "cannot be read"),
                                               ('{"release_id": "absent"}', "not a release")])
def test_a_pointer_that_leads_nowhere_is_refused_with_what_to_do(home, pointer, said):
    (folder(home) / POINTER).unlink()
    if pointer:
        (folder(home) / POINTER).write_text(pointer)
    with pytest.raises(ReleaseError, match=said):
        load(folder(home), PORTFOLIO)


def test_what_serves_goes_on_serving_when_its_successor_is_refused(home):
    changed, refused = [], []
    champions = Champions(folder(home), PORTFOLIO, changed=changed.append, refused=lambda: refused.append(1))
    champions.look()
    first = champions.now
    bad = resealed(home, lambda golden: moved(golden, 1e-9))
    champions.look()
    champions.look()
    assert champions.now is first
    assert bad.id[:12] in champions.why
    assert (len(changed), len(refused)) == (1, 1)


@pytest.mark.parametrize("error", [OSError, BadZipFile, IndexError, RuntimeError])
def test_any_error_is_a_refusal_and_is_tried_again_while_what_serves_goes_on(home, make_release, monkeypatch, error):
    champions = Champions(folder(home), PORTFOLIO, changed=lambda _: None, refused=lambda: None)
    champions.look()
    first = champions.now.release
    second = make_release(home / "second", intercept=-3.0)
    promote(home, PORTFOLIO, second, "2")

    def fail(*_: object) -> None:
        raise error("transient")

    with monkeypatch.context() as broken:
        broken.setattr("serving.champion.decision.load", fail)
        champions.look()
    assert champions.now.release == first
    assert error.__name__ in champions.why
    champions.look()
    assert champions.now.release.id == second.id


def test_an_altered_release_is_refused_before_it_is_read(home):
    release = load(folder(home), PORTFOLIO).release
    (release.path / "policy.json").write_bytes((release.path / "policy.json").read_bytes() + b" ")
    with pytest.raises(ReleaseError, match="changed"):
        load(folder(home), PORTFOLIO)
