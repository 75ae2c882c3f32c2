"""Put the release into the registry, as `challenger` unless an experiment made it; a release that is there already is left as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import PARAMS
from feature_repo.portfolios import load
from governance.release import Release, verify
from training import pictures, provenance, tracking
from training.origin import experiment

SETTINGS = ("ingest", "validate", "split", "train", "evaluate")


def main(portfolio: str, evaluate: Path, card: Path) -> None:
    """evaluate: folder with release/, metrics.json and plots/; card: the JSON file that says where the release is registered."""
    release = verify(evaluate / "release")
    metrics = json.loads((evaluate / "metrics.json").read_text())
    tried = experiment()
    found = tracking.register(load(portfolio), release, tracking.Evidence(
        measures=measures(metrics, release.read("measures.json")),
        params=settings(),
        tags=provenance.tags(release),
        pictures=pictures.draw(evaluate / "plots"),
        example=example(release),
        experiment=tried,
    ))
    card.parent.mkdir(parents=True, exist_ok=True)
    card.write_text(json.dumps(msgspec.to_builtins(found), indent=1) + "\n")
    role = f"of experiment {tried}, no alias moved" if tried else "challenger"
    print(f"release {found.release_id[:12]} is version {found.version} of {found.model}, {role}")


def example(release: Release) -> pd.DataFrame:
    """Raw inputs of three golden requests, as a caller of the registered model would send them."""
    raw = [spec for spec in release.read("contract.json")["inputs"] if "level_names" in spec]
    rows = pd.DataFrame([golden["values"] for golden in release.read("golden.json", list)[:3]])
    return rows[[spec["name"] for spec in raw]].astype({spec["name"]: object if spec["level_names"] else float for spec in raw})


def measures(metrics: dict[str, Any], by_part: dict[str, dict[str, float]]) -> dict[str, float]:
    """Every number of the run by a flat name such as test_gini: what DVC shows, and all that was measured."""
    everything = {f"{part}_{name}": value for part, known in by_part.items() for name, value in known.items()}
    return everything | {name: value for name, value in metrics.items() if isinstance(value, int | float)}


def settings() -> dict[str, str]:
    """The sections of params.yaml that made the release, one value each, by the names that `dvc exp run -S` takes."""
    sections = msgspec.yaml.decode(PARAMS.read_bytes())
    return dict(leaf for section in SETTINGS for leaf in _leaves(section, sections.get(section) or {}))


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield name, str(value)
        return
    for key, inner in value.items():
        yield from _leaves(f"{name}.{key}", inner)


if __name__ == "__main__":
    run_stage(main)
