"""Put the release into the registry, signed, as `challenger` unless an experiment made it, and say so to the record.

A release that is there already is left as it is.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import Nothing, read
from feature_repo.portfolios import load
from governance.release import Release, verify
from training import attestation, pictures, provenance, search, tracking
from training.origin import experiment


def main(portfolio: str, evaluate: Path, trials: Path, card: Path, *plots: Path) -> None:
    """evaluate: folder with release/, metrics.json and plots/; trials: what search wrote; card: the file that says where the release is.

    plots: folders of other stages whose tables are drawn too.
    """
    read("register", Nothing)
    release = verify(evaluate / "release")
    metrics = json.loads((evaluate / "metrics.json").read_text())
    tried, author = experiment(), attestation.author(release)
    found = tracking.register(load(portfolio), release, tracking.Evidence(
        measures=provenance.measures(metrics, release.read("measures.json")),
        params={**provenance.settings(), **search.read(trials).overrides},
        tags=provenance.tags(release),
        pictures={**pictures.draw(evaluate / "plots"), **pictures.draw_apart(plots)},
        example=example(release),
        experiment=tried,
        trials=search.read_trials(trials),
        signature=author.signed,
    ))
    said = attestation.record(release, found, author, tried)
    card.parent.mkdir(parents=True, exist_ok=True)
    card.write_text(json.dumps(msgspec.to_builtins(found), indent=1) + "\n")
    role = f"of experiment {tried}, no alias moved" if tried else "challenger"
    print(f"release {found.release_id[:12]} is version {found.version} of {found.model}, {role}")
    print(said)


def example(release: Release) -> pd.DataFrame:
    """Raw inputs of three golden requests, as a caller of the registered model would send them."""
    raw = [spec for spec in release.read("contract.json")["inputs"] if "level_names" in spec]
    rows = pd.DataFrame([golden["values"] for golden in release.read("golden.json", list)[:3]])
    return rows[[spec["name"] for spec in raw]].astype({spec["name"]: object if spec["level_names"] else float for spec in raw})


if __name__ == "__main__":
    run_stage(main)
