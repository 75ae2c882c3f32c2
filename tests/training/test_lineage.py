"""Lineage is the digests of what stages wrote for this portfolio: nothing of how, which could change without the data."""

from __future__ import annotations

from training.lineage import digests

LOCK = """
schema: '2.0'
stages:
  ingest: {cmd: c, outs: [{path: data/one/ingest, md5: a}, {path: data/one/vault, md5: v}]}
  train: {cmd: c, deps: [{path: training/models.py, md5: %s}], outs: [{path: data/one/train, md5: b}]}
  split: {cmd: c, outs: [{path: data/two/split, md5: c}]}
  evaluate: {cmd: c, outs: [{path: data/one/evaluate, md5: d}]}
"""


def test_a_release_names_the_data_that_determine_it_of_its_own_portfolio(tmp_path):
    (tmp_path / "dvc.lock").write_text(LOCK % "x")

    assert digests("one", lock=tmp_path / "dvc.lock") == {"data/one/train": "b"}
    assert digests("one", ("ingest",), tmp_path / "dvc.lock") == {"data/one/ingest": "a", "data/one/vault": "v"}


def test_a_source_that_changed_without_changing_the_data_changes_nothing(tmp_path):
    found = []
    for source in ("x", "y"):
        (tmp_path / "dvc.lock").write_text(LOCK % source)
        found.append(digests("one", lock=tmp_path / "dvc.lock"))

    assert found[0] == found[1]


def test_without_a_lock_file_there_is_no_lineage(tmp_path):
    assert digests("one", lock=tmp_path / "dvc.lock") == {}
