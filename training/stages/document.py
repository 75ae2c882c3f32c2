"""Write the model document of a release: a page that prints, every value of it read from a file of the run, and what it was made of."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from feature_repo.errors import run_stage
from feature_repo.params import Nothing, read
from feature_repo.portfolios import load
from governance.release import dump, verify
from training import document, drawings
from training.document import Reports


def main(portfolio: str, ingested: Path, chosen: Path, evaluate: Path, catalogue: Path, drift: Path, performance: Path, fairness: Path,  # noqa: PLR0913, PLR0917 - its paths
         summary: Path, page: Path) -> None:
    """chosen: what evaluate took its candidate from; summary, page: what is written."""
    read("document", Nothing)
    declared, release = load(portfolio), verify(evaluate / "release")
    paths = document.gather(release, evaluate, chosen, ingested, Reports(catalogue, drift, performance, fairness))
    files = document.load(paths, import_module(f"feature_repo.portfolios.{declared.name}"))
    digests, lacking = document.digests(paths), document.missing(files)
    document.write(page, portfolio=portfolio, release_id=release.id, files=files, digests=digests,
                   drawings=drawings.draw(evaluate / "plots"), unknown=list(document.unknown(files)), missing=lacking,
                   dated=declared.is_dated)
    shown = document.sources(page.read_text(encoding="utf-8"))
    found = document.found(release.id, shown, lacking)
    content = {"portfolio": portfolio, "release_id": release.id, "found": found, "missing": lacking,
               "sources": {name: {"values": count, "sha256": digests.get(name)} for name, count in shown.items()}}
    summary.parent.mkdir(parents=True, exist_ok=True)
    summary.write_bytes(dump(content))
    print("\n".join(found))


if __name__ == "__main__":
    run_stage(main)
