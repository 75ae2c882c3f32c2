"""`tally score`: a file scored as each of its rows alone, refused where it breaks the contract, whole or not there, resumed when killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID
from feature_repo.errors import DataError
from feature_repo.portfolios import load as load_portfolio
from governance.release import Release, verify
from serving.scoring import batch, decision
from tally import score as scoring
from tally.__main__ import tally
from tally.score import Asked, Told

ROOT = Path(__file__).parents[2]
ROWS = 700
ALONE = """
import sys
sys.path[:0] = ["tests", "."]
from pathlib import Path
from borrowers import brought
from feature_repo.portfolios import load
from governance.release import Release, verify
from serving.scoring import decision
from tally import score
score.ROWS, release = int(sys.argv[1]), verify(Path(sys.argv[2]))
with brought():
    scorer = decision.load(release, load("mill"))
print(score.score(score.Asked(Path(sys.argv[3]), Path(sys.argv[4]), True), scorer, release).taken_up)
"""


@pytest.fixture(scope="module")
def release(mill_model):
    return verify(mill_model.release)


@pytest.fixture(scope="module")
def scorer(mill, release):
    return decision.load(release, mill)


@pytest.fixture(scope="module")
def frame(mill, borrow):
    """Applications with all that a request must say."""
    drawn = borrow(mill, 4000, seed=21)
    return drawn[drawn[[column.name for column in mill.requests if not column.nullable]].notna().all(axis=1)].reset_index(drop=True)


@dataclass(frozen=True)
class Scene:
    """A release, applications, and a folder to score them in, in parts of a few hundred rows."""

    scorer: decision.Scorer
    release: Release
    frame: pd.DataFrame
    folder: Path

    def write(self, frame: pd.DataFrame | None = None, **columns: object) -> Path:
        """A file of raw inputs with keys, in row groups of an odd size."""
        names = [APPLICATION_ID, APPLICANT_ID, *(column.name for column in self.scorer.portfolio.raw_inputs)]
        kept = (self.frame if frame is None else frame)[names].assign(**columns)
        pq.write_table(pa.Table.from_pandas(kept, preserve_index=False), self.folder / "in.parquet", row_group_size=990)
        return self.folder / "in.parquet"

    def run(self, source: Path, name: str = "out.parquet", **asked: object) -> Told:
        return scoring.score(Asked(source, self.folder / name, **asked), self.scorer, self.release)

    def out(self, name: str = "out.parquet") -> pd.DataFrame:
        return pd.read_parquet(self.folder / name)


@pytest.fixture
def scene(scorer, release, frame, tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "ROWS", ROWS)
    return Scene(scorer, release, frame, tmp_path)


def test_a_file_is_scored_as_its_frame_is(scene):
    told = scene.run(scene.write(), reasons=True)

    expected = batch.score(scene.scorer, scene.frame, explain=True)
    found = scene.out()
    assert (told.rows, told.rejected, told.taken_up) == (len(scene.frame), 0, 0)
    assert found["row"].tolist() == list(range(1, len(scene.frame) + 1))
    for name in ("pd", "score", "band", "outcome", "reasons"):
        assert found[name].tolist() == expected[name].tolist(), name
    assert found[[APPLICATION_ID, APPLICANT_ID]].equals(scene.frame[[APPLICATION_ID, APPLICANT_ID]])
    assert set(found) == {APPLICATION_ID, APPLICANT_ID, "row", "pd", "score", "band", "outcome", "in_doubt", "outside", "reasons"}
    assert pq.read_schema(scene.folder / "out.parquet").metadata[b"tally.release_id"].decode() == scene.release.id
    assert {path.name for path in scene.folder.iterdir()} == {"in.parquet", "out.parquet"}


def test_a_row_of_a_file_has_the_bits_of_a_decision(scene):
    scene.run(scene.write(scene.frame.head(60)), reasons=True)

    for row, (_, found) in zip(scene.frame.head(60).itertuples(), scene.out().iterrows(), strict=True):
        raw = {column.name: getattr(row, column.name) for column in scene.scorer.portfolio.raw_inputs}
        alone = scene.scorer.decide({name: None if value is None or value != value else value for name, value in raw.items()})  # noqa: PLR0124
        assert (found["pd"], found["score"], found["band"], found["outcome"]) == (alone.pd, alone.score, alone.band, alone.outcome)
        assert (found["in_doubt"], found["outside"]) == (alone.degraded, bool(alone.outside))
        assert msgspec.json.decode(found["reasons"]) == msgspec.to_builtins(list(alone.reasons))


def test_types_that_say_the_same_score_the_same(scene):
    plain = scene.write()
    table = pq.read_table(plain)
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            table = table.set_column(at, field.name, table[field.name].dictionary_encode())
    pq.write_table(table.append_column("unused", pa.array(np.arange(len(scene.frame)))), scene.folder / "other.parquet", row_group_size=64)

    scene.run(plain, "a.parquet")
    scene.run(scene.folder / "other.parquet", "b.parquet")

    assert scene.out("a.parquet")["pd"].equals(scene.out("b.parquet")["pd"])


@pytest.mark.parametrize(("column", "value", "allowed"), [
    ("sacks", 1_000.5, "at most 1000"), ("sacks", -1.0, "at least 1"), ("sacks", np.inf, "must be a number"),
    ("sacks", np.nan, "must be given"), ("flow", -0.5 - 1, "at least -1"), ("weir", "glass", "must be one of"),
    ("grain", "\x00", "must be one of"), ("grain", None, "must be given"),
])
def test_a_row_that_breaks_the_contract_refuses_the_file_and_is_named(scene, column, value, allowed):
    values = scene.frame[column].copy()
    values[1234] = value
    source = scene.write(**{column: values})

    with pytest.raises(DataError, match=rf"row 1235, {column}: .*{allowed}") as refused:
        scene.run(source)

    assert str(value) not in str(refused.value) or value in {None, np.inf, -1.0}
    assert [path.name for path in scene.folder.iterdir()] == ["in.parquet"]


def test_such_rows_are_set_aside_where_asked_for_and_the_others_keep_their_scores(scene):
    wrong = [0, 699, 700, 1234, len(scene.frame) - 1]
    values = scene.frame["sacks"].copy()
    values[wrong] = 5_000.0
    source = scene.write(sacks=values)

    told = scene.run(source, rejects=scene.folder / "bad.parquet")

    expected, found = batch.score(scene.scorer, scene.frame.drop(index=wrong)), scene.out()
    bad = pd.read_parquet(scene.folder / "bad.parquet")
    assert (told.rows, told.rejected) == (len(scene.frame) - len(wrong), len(wrong))
    assert bad["row"].tolist() == [at + 1 for at in wrong]
    assert set(bad["column"]) == {"sacks"}
    assert "5000" not in bad.to_csv()
    assert found["row"].tolist() == [at + 1 for at in range(len(scene.frame)) if at not in wrong]
    assert found["pd"].tolist() == expected["pd"].tolist()


def test_a_stored_value_may_be_missing_and_a_level_unheard_of_is_other(scene):
    source = scene.write(flow=np.nan, grain="unheard of", weir=None)

    scene.run(source)

    found = scene.out()
    assert found["in_doubt"].all()
    assert found["pd"].tolist() == batch.score(scene.scorer, scene.frame.assign(flow=np.nan, grain="other", weir=None))["pd"].tolist()


def test_a_file_of_other_columns_or_types_or_none_at_all_is_refused(scene):
    source = scene.write()
    table = pq.read_table(source)
    pq.write_table(table.drop_columns(["flow"]), scene.folder / "absent.parquet")
    texts = table.set_column(table.column_names.index("sacks"), "sacks", table["sacks"].cast(pa.string()))
    pq.write_table(texts, scene.folder / "text.parquet")
    (scene.folder / "none.parquet").write_text("PAR1")

    for name, said in (("absent", "absent: flow"), ("text", "sacks is string, not a number"), ("none", "no Parquet file")):
        with pytest.raises(DataError, match=said):
            scene.run(scene.folder / f"{name}.parquet")
    assert not (scene.folder / "out.parquet").exists()


def test_a_file_without_rows_gives_one_without_rows(scene):
    told = scene.run(scene.write(scene.frame.head(0)), reasons=True)

    assert told.rows == pq.read_metadata(scene.folder / "out.parquet").num_rows == 0


def alone(release, source, target):
    return subprocess.Popen([sys.executable, "-c", ALONE, "40", str(release.path), str(source), str(target)], cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def test_a_run_that_was_killed_goes_on_and_comes_to_the_same(scene):
    source, target = scene.write(), scene.folder / "out.parquet"
    folder = scene.folder / ".out.parquet.parts"
    process, kills, deadline = alone(scene.release, source, target), 0, time.monotonic() + 120
    while kills < 2 and time.monotonic() < deadline:
        done = len(list(folder.glob("0*.parquet"))) if folder.exists() else 0
        if done > 20 * (kills + 1):
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            assert not target.exists()
            process, kills = alone(scene.release, source, target), kills + 1
        time.sleep(0.002)

    taken_up = int(process.communicate(timeout=120)[0])
    scene.run(source, "whole.parquet", reasons=True)

    assert kills == 2
    assert taken_up > 40
    assert not folder.exists()
    assert pq.read_table(target).equals(pq.read_table(scene.folder / "whole.parquet"))


def test_parts_of_another_file_or_question_are_not_taken_up(scene):
    source, target = scene.write(), scene.folder / "out.parquet"
    parts = scoring.Parts.of(Asked(source, target), scene.release)
    pq.write_table(pa.table({"never": [1]}), parts.path(0))

    assert scoring.Parts.of(Asked(source, target), scene.release).done == 1
    assert scene.run(source, reasons=True).taken_up == 0


def test_the_command_scores_with_what_serves_or_with_a_named_release(make_home, tmp_path, monkeypatch, borrow):
    home, portfolio = make_home(), load_portfolio("card_default")
    frame = borrow(portfolio, 300, seed=2)
    names = [column.name for column in portfolio.raw_inputs]
    kept = frame[frame[[column.name for column in portfolio.requests if not column.nullable]].notna().all(axis=1)]
    pq.write_table(pa.Table.from_pandas(kept[names], preserve_index=False), tmp_path / "in.parquet")
    monkeypatch.setenv("TALLY_HOME", str(home))
    monkeypatch.setenv("TALLY_PORTFOLIO", "card_default")
    (served,) = [path.name for path in (home / "card_default" / "releases").iterdir() if len(path.name) == 64]
    source, target = str(tmp_path / "in.parquet"), str(tmp_path / "out.parquet")

    told = CliRunner().invoke(tally, ["score", source, target], catch_exceptions=False)
    again = CliRunner().invoke(tally, ["score", source, str(tmp_path / "b.parquet"), "--release", served[:10], "--reasons"])
    none = CliRunner().invoke(tally, ["score", source, target, "--release", "ffffffff"])
    itself = CliRunner().invoke(tally, ["score", source, source])

    assert (told.exit_code, again.exit_code) == (0, 0), (told.output, again.output)
    assert f"{len(kept):,} rows scored with release {served[:12]}" in told.output
    assert pd.read_parquet(target)["pd"].equals(pd.read_parquet(tmp_path / "b.parquet")["pd"])
    assert (str(none.exception), none.exit_code) == (f"0 releases in {home / 'card_default' / 'releases'} are called 'ffffffff'", 1)
    assert "three files" in str(itself.exception)
