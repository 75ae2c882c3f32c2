"""Lineage is what dvc.lock says of the stages before evaluate, of this portfolio alone."""

from __future__ import annotations

from training.lineage import UPSTREAM, upstream

LOCK = """
schema: '2.0'
stages:
  ingest: {cmd: c, outs: [{path: data/one/ingest, md5: a}]}
  train: {cmd: c, params: {params.yaml: {train: {seed: 7}}}, outs: [{path: data/one/train, md5: b}]}
  split: {cmd: c, outs: [{path: data/two/split, md5: c}]}
  evaluate: {cmd: c, outs: [{path: data/one/evaluate, md5: d}]}
"""


def test_only_upstream_stages_of_this_portfolio_are_in_it(tmp_path):
    (tmp_path / "dvc.lock").write_text(LOCK)

    found = upstream("one", tmp_path / "dvc.lock")

    assert list(found) == ["ingest", "train"]
    assert found["train"]["outs"][0]["md5"] == "b"
    assert "evaluate" not in UPSTREAM


def test_without_a_lock_file_there_is_no_lineage(tmp_path):
    assert upstream("one", tmp_path / "dvc.lock") == {}
