"""What the document knows of a release: which evidence is there, which is missing, which nobody foresaw."""

from __future__ import annotations

from types import SimpleNamespace

from governance.release import verify
from training import document
from training.citation import Cited
from training.document import Reports


def test_it_gathers_every_readable_file_of_the_release_but_the_answers(mill_model, tmp_path):
    release = verify(mill_model.release)
    files = document.gather(release, mill_model.evaluate, mill_model.train, tmp_path / "ingest.json", Reports(*[tmp_path / "x.json"] * 4))
    readable = {f"release/{name}" for name in release.manifest.files if name.endswith((".json", ".csv"))}

    assert {name for name in files if name.startswith("release/")} == readable - {"release/golden.json"} | {"release/release.json"}
    assert "plots/roc.csv" in files


def test_what_a_release_lacks_is_named_in_words_and_what_nobody_knows_is_found():
    files = {"release/measures.json": Cited({}, ""), "release/novel.json": Cited({}, ""), "plots/other.json": Cited({}, "")}

    assert "Performance" not in document.missing(files)
    assert "Proof of directions" in document.missing(files)
    assert list(document.unknown(files)) == ["release/novel.json"]


def test_the_lenders_own_words_are_the_portfolios_docstring(tmp_path):
    assert document.load({}, SimpleNamespace(__doc__="Loans.\n\n    With a caveat."))["portfolio"].cited_value["says"].startswith("Loans.")


def test_the_sentences_count_what_is_shown_and_name_what_is_missing():
    shown = document.sources('<i data-of="a.json#/x"></i><i data-of="a.json#/y"></i><i data-of="b.json#/x"></i>')

    assert shown == {"a.json": 2, "b.json": 1}
    assert document.found("f" * 64, shown, ["Stability"]) == [
        "Model document of release ffffffffffff: 3 values, each with its source, from 2 files.",
        "No evidence in this release of: stability."]
    assert document.found("f" * 64, shown, [])[1] == "The release carries every kind of evidence."
