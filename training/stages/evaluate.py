"""Compose the release of the chosen candidate, judge it, and write both."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copyfile, rmtree

import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.release import dump, seal
from serving.scoring.batch import arrays, score
from training import evaluation, judgement, lineage, release_parts
from training.candidates import load_choice, load_chosen
from training.headline import headline
from training.judgement import Subject
from training.params import EvaluateParams
from training.policy import require_bands
from training.splits import DEVELOPMENT, PART, PERIOD, align


def main(portfolio: str, assemble: Path, split: Path, train: Path, verdict: Path, vault: Path, evaluate: Path, *evidence: Path) -> None:  # noqa: PLR0913, PLR0917 - its paths
    """evidence: files of earlier stages that the release carries under their own names."""
    declared, params = load(portfolio), read("evaluate", EvaluateParams)
    require_bands(params.policy)
    frame = pd.read_parquet(assemble / "applications.parquet")
    parts = align(frame, pd.read_parquet(split / "parts.parquet"))
    choice, (candidate, encoding) = load_choice(train), load_chosen(train)
    develops = (parts[PERIOD] == DEVELOPMENT).to_numpy()
    scorer = release_parts.compose(declared, candidate, encoding, frame[develops], params)
    scored = frame.assign(part=parts[PART].to_numpy(), period=parts[PERIOD].to_numpy(), **score(scorer, frame))

    release = evaluate / "release"
    rmtree(release, ignore_errors=True)
    release.mkdir(parents=True)
    population = release_parts.Population(frame[develops], pd.read_parquet(vault / "protected.parquet"))
    subject = Subject(declared, scorer, choice, release_parts.write(release, scorer, candidate, population, params), scored,
                      population.protected)
    found = judgement.evidence(subject)
    for name, said in found.items():
        (release / name).write_bytes(dump(said))
    for path in evidence:
        copyfile(path, release / path.name)
    sealed = seal(release, declared, model=candidate.name, validation=json.loads(verdict.read_bytes()), lineage=lineage.digests(portfolio))

    metrics = evaluation.flat_metrics(found["measures.json"], scored.loc[develops, "outcome"], candidate.name, scorer.policy)
    metrics["outside_rate"] = float(scorer.assess(arrays(declared, frame[~develops])).anywhere.mean())
    for path in evidence:
        metrics |= json.loads(path.read_bytes()).get("metrics", {})
    (evaluate / "metrics.json").write_bytes(dump(metrics))
    (evaluate / "headline.json").write_bytes(dump(headline(metrics, choice.measured)))
    evaluation.write_plots(evaluate / "plots", judgement.tables(subject, found))
    print(f"release {sealed.id}\n{candidate.name}: test Gini {metrics['test_gini']:.3f}, ECE {metrics['test_ece']:.4f}")


if __name__ == "__main__":
    run_stage(main)
