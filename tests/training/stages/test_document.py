"""Stage document: a page and what it was made of, the same bytes again, and no page of a release that does not verify."""

from __future__ import annotations

import json

import cited


def test_it_writes_the_same_page_again_and_says_what_it_is_made_of(small_project):
    small_project.repro("document")
    folder = small_project.path / "reports" / small_project.portfolio
    written = [folder / "model.html", folder / "model.json"]
    before = [path.read_bytes() for path in written]

    done = small_project.run("dvc", "repro", "-sf", "document")

    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.read_bytes() for path in written] == before
    summary, page = json.loads(before[1]), cited.Page(before[0].decode())
    assert summary["release_id"] == json.loads(small_project.data("register", "card.json").read_bytes())["release_id"]
    assert sum(source["values"] for source in summary["sources"].values()) == len(page.values)
    assert summary["found"][0].startswith(f"Model document of release {summary['release_id'][:12]}: {len(page.values):,} values")


def test_an_altered_release_gets_no_document(small_project):
    measures = small_project.data("evaluate", "release", "measures.json")
    before = measures.read_bytes()
    measures.write_bytes(before.replace(b"0.", b"0.1", 1))
    try:
        stage = small_project.params["portfolio"]
        ingested, page = small_project.data("ingest", "ingest.json"), small_project.path / "page.html"
        reports = [small_project.path / "reports" / stage / f"{name}.json" for name in ("catalogue", "drift", "performance", "fairness")]
        done = small_project.run("python", "-m", "training.stages.document", stage, str(ingested), str(small_project.data("alternatives")),
                                 str(small_project.data("evaluate")), *map(str, reports), str(page.with_suffix(".json")), str(page))
    finally:
        measures.write_bytes(before)
    assert done.returncode == 1
    assert "files changed: ['measures.json']" in done.stderr
    assert not page.exists()
