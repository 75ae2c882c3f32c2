"""`tally drift`: windows judged from counts, in one piece or in several, from files or from counts that others kept."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from borrowers import write_params
from click.testing import CliRunner

from feature_repo.errors import DataError
from governance.release import verify
from monitoring import scored, window
from serving.scoring import decision
from tally import drifting
from tally.__main__ import tally
from tally.checkout import Checkout


@pytest.fixture(scope="module")
def decided(mill, mill_model, borrow, tmp_path_factory):
    """A home with the mill's release, and its decisions as one file and as three."""
    home, release = tmp_path_factory.mktemp("home"), verify(mill_model.release)
    shutil.copytree(mill_model.release, home / "mill" / "releases" / release.id)
    frame = scored.decisions(borrow(mill, 3_000, seed=4), decision.load(release, mill), release)
    whole = pa.Table.from_pandas(frame, schema=window.schema(mill), preserve_index=False)
    files = [home / name for name in ("whole.parquet", "0.parquet", "1.parquet", "2.parquet")]
    for file, part in zip(files, (whole, *(whole.slice(start, 1_000) for start in (0, 1_000, 2_000))), strict=True):
        pq.write_table(part, file)
    return SimpleNamespace(checkout=Checkout(mill, home), release=release, whole=files[0], parts=tuple(files[1:]), rows=len(frame))


@pytest.fixture(autouse=True)
def settings(tmp_path, monkeypatch):
    write_params(tmp_path / "params.yaml", {"drift": {"minimum": 100}})
    monkeypatch.chdir(tmp_path)


def judge(decided, *files, counts=None):
    return drifting.judge(files, decided.release.id[:8], counts, decided.checkout)


def test_windows_in_pieces_are_judged_as_in_one(decided):
    apart, whole = judge(decided, *reversed(decided.parts)), judge(decided, decided.whole)
    assert apart.splitlines()[:-1] == whole.splitlines()[:-1]
    assert f"{decided.rows:,} decisions by release {decided.release.id[:12]} of mill" in whole


def test_counts_kept_on_several_machines_are_judged_together(decided, tmp_path):
    kept = [tmp_path / f"{file.stem}.json" for file in decided.parts[:2]]
    for file, counts in zip(decided.parts, kept, strict=False):
        judge(decided, file, counts=counts)
    together = judge(decided, *kept, decided.parts[2])
    assert together == judge(decided, *decided.parts)


def test_counts_of_another_release_and_what_are_none_are_refused(decided, tmp_path):
    judge(decided, decided.parts[0], counts=tmp_path / "counts.json")
    text = (tmp_path / "counts.json").read_text().replace(decided.release.id, "f" * 64)
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(DataError, match="counts of two releases"):
        judge(decided, tmp_path / "other.json")
    (tmp_path / "none.json").write_text("{}")
    with pytest.raises(DataError, match="holds no counts"):
        judge(decided, tmp_path / "none.json")


def test_files_without_a_decision_of_the_release_are_refused(decided, tmp_path):
    foreign = pq.read_table(decided.parts[0])
    place = foreign.schema.get_field_index(window.RELEASE_ID)
    pq.write_table(foreign.set_column(place, window.RELEASE_ID, pa.array(["other"] * len(foreign))), tmp_path / "foreign.parquet")
    with pytest.raises(DataError, match=r"no decision by release .* in foreign\.parquet"):
        judge(decided, tmp_path / "foreign.parquet")


def test_a_release_is_named_by_its_folder_too_on_a_machine_that_has_no_more(decided, tmp_path):
    folder = decided.checkout.services / "releases" / decided.release.id
    elsewhere = Checkout(decided.checkout.portfolio, tmp_path)
    assert drifting.judge((decided.whole,), str(folder), None, elsewhere) == judge(decided, decided.whole)


def test_the_command_says_it_and_keeps_the_counts(decided, tmp_path, monkeypatch):
    monkeypatch.setattr(drifting, "here", lambda: decided.checkout)
    said = ["drift", str(decided.whole), "--release", decided.release.id[:8], "--counts", str(tmp_path / "c.json")]
    done = CliRunner().invoke(tally, said)
    assert done.exit_code == 0, done.output
    assert "columns drifted" in done.output
    assert "No fault of data" in done.output
    assert judge(decided, tmp_path / "c.json") == judge(decided, decided.whole)
