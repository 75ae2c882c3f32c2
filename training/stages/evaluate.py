"""Compose the release of the chosen candidate, judge it, and write both."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import rmtree

import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.release import dump, seal
from serving.scoring.batch import score
from training import evaluation, lineage, release_parts
from training.candidates import load_choice, load_chosen
from training.headline import headline
from training.params import EvaluateParams
from training.policy import require_bands
from training.splits import DEVELOPMENT, PART, PERIOD, align


def main(portfolio: str, assemble: Path, split: Path, train: Path, verdict: Path, vault: Path, evaluate: Path) -> None:  # noqa: PLR0913, PLR0917 - its paths
    declared, params = load(portfolio), read("evaluate", EvaluateParams)
    require_bands(params.policy)
    frame = pd.read_parquet(assemble / "applications.parquet")
    parts = align(frame, pd.read_parquet(split / "parts.parquet"))
    choice, (candidate, encoding) = load_choice(train), load_chosen(train)
    develops = (parts[PERIOD] == DEVELOPMENT).to_numpy()
    scorer = release_parts.compose(declared, candidate, encoding, frame[develops], params)
    scored = frame.assign(part=parts[PART].to_numpy(), **score(scorer, frame))
    judged = scored[scored[PART].notna()]

    release = evaluate / "release"
    rmtree(release, ignore_errors=True)
    release.mkdir(parents=True)
    population = release_parts.Population(frame[develops], pd.read_parquet(vault / "protected.parquet"))
    bins = release_parts.write(release, scorer, candidate, population, params)
    by_part = evaluation.with_cross_validation(evaluation.part_measures(judged, bins["score"]), choice.cross_validation)
    (release / "measures.json").write_bytes(dump(by_part))
    sealed = seal(release, declared, model=candidate.name, validation=json.loads(verdict.read_bytes()), lineage=lineage.digests(portfolio))

    metrics = evaluation.flat_metrics(by_part, scored.loc[develops, "outcome"], candidate.name, scorer.policy)
    (evaluate / "metrics.json").write_bytes(dump(metrics))
    (evaluate / "headline.json").write_bytes(dump(headline(metrics, choice.measured)))
    evaluation.write_plots(evaluate / "plots", evaluation.plot_tables(judged, by_part, scorer.policy, dated=declared.is_dated))
    print(f"release {sealed.id}\n{candidate.name}: test Gini {metrics['test_gini']:.3f}, ECE {metrics['test_ece']:.4f}")


if __name__ == "__main__":
    run_stage(main)
