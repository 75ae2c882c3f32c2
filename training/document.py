"""The model document: everything a validator asks of a release, read from the release, its evidence and the reports beside it.

Never typed: each figure is cited with its file and key (`training.citation`), and evidence that a release does not carry is said to be
missing. Responsible for gathering the files; the templates say which of them belong to which chapter. Draws no conclusion of its own.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from governance.release import MANIFEST, Release
from training import citation, documents
from training.citation import Cited

ANSWERS = "golden.json"  # rows of values, for machines
EVIDENCE = {
    "search.json": "Search for settings", "monotonicity.json": "Proof of directions", "binning.json": "Binning",
    "measures.json": "Performance", "calibration.json": "Tests of calibration", "vintages.json": "Vintages as they age",
    "stability.json": "Stability",
    "audit.json": "Leakage and proxies", "fairness.json": "Protected groups in development",
    "alternatives.json": "Less discriminatory alternatives", "rejects.json": "Reject inference",
    "cutoffs.json": "Policy by expected profit",
}
CHAPTERS = {"contract.json", "policy.json", "calibrator.json", "encoding.json", "reasons.json", "bins.json", "parts.json",
            "support.json", MANIFEST, ANSWERS}
PARAMS = "params.yaml"
PORTFOLIO = "portfolio"


@dataclass(frozen=True)
class Reports:
    """Pages and data beside the release: catalogue, drift, performance, fairness, each as JSON."""

    catalogue: Path
    drift: Path
    performance: Path
    fairness: Path


def gather(release: Release, evaluate: Path, chosen: Path, ingested: Path, reports: Reports) -> dict[str, Path]:
    """Name it is cited by -> file, of everything the document may show."""
    inside = sorted(path for path in release.path.iterdir() if path.suffix in {".json", ".csv"} and path.name != ANSWERS)
    return {
        **{f"release/{path.name}": path for path in inside},
        **{f"plots/{path.name}": path for path in sorted((evaluate / "plots").glob("*.csv"))},
        "metrics.json": evaluate / "metrics.json", "choice.json": chosen / "choice.json", "ingest.json": ingested,
        **{f"{name}.json": getattr(reports, name) for name in Reports.__dataclass_fields__}, PARAMS: Path(PARAMS),
    }


def load(files: Mapping[str, Path], declaration: ModuleType) -> dict[str, Cited]:
    """Every file, and what the portfolio's own file says above its code."""
    words = Cited({"says": inspect.getdoc(declaration) or ""}, PORTFOLIO)
    return {**{name: citation.load(path, name) for name, path in files.items()}, PORTFOLIO: words}


def digests(files: Mapping[str, Path]) -> dict[str, str]:
    """SHA-256 of every file but params.yaml, of which only sections are read."""
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name != PARAMS}


def unknown(files: Mapping[str, Cited]) -> Iterator[str]:
    """Evidence in the release that no chapter knows: shown as it is."""
    named = {f"release/{name}" for name in (*EVIDENCE, *CHAPTERS)}
    return (name for name in files if name.startswith("release/") and name.endswith(".json") and name not in named)


def missing(files: Mapping[str, Cited]) -> list[str]:
    """What a release may carry and this one does not, in the words of the chapters."""
    return [title for name, title in EVIDENCE.items() if f"release/{name}" not in files]


def sources(page: str) -> dict[str, int]:
    """File -> how many values the page shows of it."""
    named = re.findall(r'data-of="([^"#]*)#', page)
    return {name: named.count(name) for name in sorted(set(named))}


def found(release_id: str, shown: Mapping[str, int], lacking: list[str]) -> list[str]:
    """The document in a few sentences."""
    none = f"No evidence in this release of: {', '.join(lacking).lower()}." if lacking else "The release carries every kind of evidence."
    counted = f"{sum(shown.values()):,} values, each with its source, from {len(shown)} files"
    return [f"Model document of release {release_id[:12]}: {counted}.", none]


def write(page: Path, **content: Any) -> None:
    """The page, from the template `model.html`."""
    documents.write("model.html", page, **content)


documents.PAGES.filters |= {"cite": citation.show, "key": citation.show_key, "pairs": citation.pairs, "plain": citation.plain,
                            "kind": citation.kind, "style": citation.style_of}
