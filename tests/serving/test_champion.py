"""Guarantees of the release that serves: allowed by the record, verified, of this interface, and answering as it did when it was made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import BadZipFile

import pytest
from approved import FAILED, allow, append, approved, asked, back, by, placed, promoted, registered, unsigned, waived
from served import promote

from feature_repo.errors import ReleaseError
from feature_repo.portfolios import load as portfolio_of
from governance import events
from governance.ledger.book import open_book
from governance.ledger.writer import Ledger
from governance.release import MANIFEST, Release, place, point, seal
from serving.champion import GOLDEN, POINTER, Champions, load, read
from serving.permission import Permission

PORTFOLIO = portfolio_of("card_default")
Watched = Callable[..., Champions]


@pytest.fixture
def home(tmp_path, make_release) -> Path:
    promote(tmp_path, PORTFOLIO, make_release(tmp_path / "made"), "1")
    return tmp_path


@pytest.fixture
def watched(home) -> Iterator[Watched]:
    """Makes a worker's champions; what they recorded is in the home's ledger."""
    made: list[Ledger] = []

    def make(changed=lambda _: None, refused=lambda: None, worker: str = "w") -> Champions:
        made.append(Ledger(open_book(folder(home) / "ledger")))
        permission = Permission(made[-1], home / "signers.yaml", worker, 5.0)
        return Champions(folder(home), PORTFOLIO, permission, changed=changed, refused=refused)

    yield make
    for ledger in made:
        ledger.close()


def folder(home: Path) -> Path:
    return home / PORTFOLIO.name


def loaded(home: Path):
    return load(folder(home), PORTFOLIO, read(folder(home), PORTFOLIO))


def recorded(home: Path, kind: str) -> list[events.Event]:
    return [events.of(record) for record in open_book(folder(home) / "ledger").records({kind})]


def pointed_without_approval(home: Path, release: Release) -> None:
    """A release placed and pointed to by somebody who can write files, and nobody else."""
    point(folder(home) / POINTER, place(release.path, folder(home) / "releases"), model_version="9")


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
    champion = loaded(home)
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
        loaded(home)


def test_a_release_without_golden_questions_is_refused(home):
    resealed(home, lambda _: [])
    with pytest.raises(ReleaseError, match="no golden questions"):
        loaded(home)


@pytest.mark.parametrize(("pointer", "said"), [(None, "no release was placed"), ("{", "cannot be read"),
                                               ('{"release_id": "absent"}', "not a release")])
def test_a_pointer_that_leads_nowhere_is_refused_with_what_to_do(home, pointer, said):
    (folder(home) / POINTER).unlink()
    if pointer:
        (folder(home) / POINTER).write_text(pointer)
    with pytest.raises(ReleaseError, match=said):
        loaded(home)


def test_what_serves_goes_on_serving_when_its_successor_is_refused(home, watched):
    changed, refused = [], []
    champions = watched(changed.append, lambda: refused.append(1))
    champions.look()
    first = champions.now
    bad = resealed(home, lambda golden: moved(golden, 1e-9))
    champions.look()
    champions.look()
    assert champions.now is first
    assert bad.id[:12] in champions.why
    assert (len(changed), len(refused)) == (1, 1)


@pytest.mark.parametrize("error", [OSError, BadZipFile, IndexError, RuntimeError])
def test_any_error_is_a_refusal_and_is_tried_again_while_what_serves_goes_on(home, watched, make_release, monkeypatch, error):
    champions = watched()
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
    release = loaded(home).release
    (release.path / "policy.json").write_bytes((release.path / "policy.json").read_bytes() + b" ")
    with pytest.raises(ReleaseError, match="changed"):
        loaded(home)


def test_a_release_nobody_approved_is_not_served_whoever_pointed_to_it(home, watched, make_release):
    champions = watched()
    champions.look()
    first = champions.now
    other = make_release(home / "other", intercept=-3.0)
    pointed_without_approval(home, other)
    champions.look()
    champions.look()
    assert champions.now is first
    assert f"release {other.id[:12]} may not serve" in champions.why
    assert [one.release_id for one in recorded(home, "release-refused")] == [other.id]


def test_a_worker_that_starts_with_a_pointer_nobody_approved_serves_what_the_record_says(home, watched, make_release):
    approved_one = loaded(home).release.id
    pointed_without_approval(home, make_release(home / "other", intercept=-3.0))
    champions = watched()
    champions.look()
    assert champions.now.release.id == approved_one
    assert ["may not serve" in one.why for one in recorded(home, "release-refused")] == [True]


def test_nothing_is_served_where_nothing_was_promoted_or_nobody_is_known(home, watched, make_release):
    (home / "signers.yaml").unlink()
    champions = watched()
    champions.look()
    assert champions.now is None
    assert "was never promoted" in champions.why
    (home / "signers.yaml").write_text("nobody")
    champions.look()
    assert "what may serve is not known" in champions.why


def test_an_approval_forged_into_the_record_serves_nothing(home, watched, make_release):
    other = make_release(home / "other", intercept=-3.0)
    append(home, PORTFOLIO.name, [registered(other.id, version="9"), asked("r9", other.id, by("olga"), version="9")])
    ledger = Ledger(open_book(folder(home) / "ledger"))
    forged = [approved("r9", other.id, by("anna")), promoted("r9", other.id, unsigned(), version="9")]
    ledger.append([events.entry(event, "r9:anna" if number == 0 else "r9") for number, event in enumerate(forged)]).result(5)
    ledger.close()
    pointed_without_approval(home, other)
    champions = watched()
    champions.look()
    assert champions.now.release.id != other.id


def test_a_waiver_that_lapses_makes_way_for_what_served_before_without_anybody_pointing_there(home, watched, make_release):
    first = loaded(home).release.id
    other = make_release(home / "other", intercept=-3.0)
    until = datetime.now(UTC) + timedelta(seconds=1.5)
    append(home, PORTFOLIO.name, [
        registered(other.id, version="2"), asked("r2", other.id, by("olga"), FAILED, "2"), approved("r2", other.id, by("anna")),
        waived("r2", other.id, by("anna"), until), promoted("r2", other.id, unsigned(), FAILED, "2")])
    pointed_without_approval(home, other)
    champions = watched()
    champions.look()
    assert champions.now.release.id == other.id
    while datetime.now(UTC) < until:
        champions.look()
    champions.look()
    assert champions.now.release.id == first


def test_a_pointer_set_back_to_what_served_before_is_not_followed_without_a_rollback(home, watched, make_release):
    first = loaded(home).release
    second = make_release(home / "second", intercept=-3.0)
    promote(home, PORTFOLIO, second, "2")
    ledger = Ledger(open_book(folder(home) / "ledger"))
    ledger.append([events.entry(placed(second.id), "second")]).result(5)
    ledger.close()
    champions = watched()
    champions.look()
    pointed_without_approval(home, first)
    champions.look()
    assert champions.now.release.id == second.id
    append(home, PORTFOLIO.name, [back(first.id, by("olga"))])
    champions.look()
    assert champions.now.release.id == first.id


def test_every_swap_is_recorded_with_the_worker_and_what_it_replaces(home, watched, make_release):
    champions = watched(worker="w1")
    champions.look()
    first, second = champions.now.release.id, make_release(home / "second", intercept=-3.0)
    promote(home, PORTFOLIO, second, "2")
    champions.look()
    said = [(one.worker, one.release_id, one.replaces) for one in recorded(home, "release-swapped")]
    assert said == [("w1", first, ""), ("w1", second.id, first)]


def test_a_look_at_an_unchanged_record_takes_milliseconds(home, watched):
    for number in range(60):
        allow(home, PORTFOLIO.name, f"{number:064x}", str(number + 10))
    champions = watched()
    champions.look()
    began = datetime.now(UTC)
    for _ in range(20):
        champions.look()
    assert (datetime.now(UTC) - began).total_seconds() / 20 < 0.05
