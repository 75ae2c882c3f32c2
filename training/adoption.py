"""The search for a less discriminatory alternative on a portfolio's data, and what is kept of it: the record, and the model evaluate takes.

What is kept has the layout of a training run, so that everything after it need not know whether an alternative was adopted: the other
candidate stays as it was, the adopted one takes the place of its family's, with its directions proved anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import BAD
from feature_repo.errors import DataError, ParamsError
from feature_repo.portfolio import Portfolio
from governance.release import dump
from serving.scoring.batch import score
from serving.scoring.decision import Scorer
from training import alternatives, impact
from training.alternatives import AlternativesParams, Member, OnTest, Room, Search, Tried
from training.calibration import fit_calibrator
from training.candidates import CROSS_VALIDATION, Choice, load_candidate, load_choice, save
from training.cross_validation import CANDIDATES, summarize
from training.encoding import model_rows
from training.measures import auc_with_variance, summary
from training.monotonicity import prove
from training.params import EvaluateParams, TrainParams
from training.prior import shifted
from training.proxies import evenly
from training.refits import Bench, Change, Refit, bench
from training.release_parts import compose
from training.splits import CALIBRATION, DEVELOPMENT, PART, PERIOD, TEST

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Material:
    """What a search sees. scope: the assembled applications with part and period; protected: the vault's table."""

    portfolio: Portfolio
    scope: pd.DataFrame
    protected: pd.DataFrame
    train: TrainParams
    policy: EvaluateParams

    def part(self, name: str) -> pd.DataFrame:
        return self.scope[(self.scope[PART] == name).to_numpy()]

    def period(self, *, development: bool, most: int) -> impact.Applicants:
        """Everyone who applied in development, or after it; an even sample of at most so many."""
        rows = ((self.scope[PERIOD] == DEVELOPMENT) == development).to_numpy()
        return impact.applicants(evenly(self.scope[rows], most), self.protected)

    def bench(self, rounds: int, most: int | None = None) -> Bench:
        """Of all of development, calibrated as train does; or of a sample to rank by, where the calibration part alone will do."""
        development = self.part(DEVELOPMENT)
        if most is None:
            return bench(self.portfolio, development, self.part(CALIBRATION), self.train, rounds)
        return replace(bench(self.portfolio, evenly(development, most), self.part(CALIBRATION), self.train, rounds), earlier=())


def begin(run: Path) -> tuple[str, int]:
    """What a training run chose, and the rounds its trees were boosted."""
    trees, _ = load_candidate(run, "trees")
    return load_choice(run).chosen, len(trees.kernel.arrays()["roots"])


def explore(material: Material, start: tuple[str, int], proxies: tuple[str, ...], rule: AlternativesParams) -> tuple[Search, Refit | None]:
    """What was found, and the model to adopt, fitted on all of development. start: what `begin` says; proxies: what audit found."""
    if not material.portfolio.protected:
        return Search(rule, None, adopted=False, why="no protected attribute is declared: there is no disparity to measure"), None
    if not rule.budget:
        return Search(rule, None, adopted=False, why="nothing was searched: alternatives.budget is 0"), None
    tried: dict[str, tuple[Refit, Scorer]] = {}
    chosen, rounds = start
    (other,) = {*CANDIDATES} - {chosen}
    ground, judged = material.bench(rounds, rule.sample), material.period(development=True, most=rule.sample)

    def attempt(change: Change) -> Tried | None:
        found = _attempt(material, ground, judged, change, rule)
        if found is None:
            return None
        tried[change.name] = found[1]
        return found[0]

    settings = {"scorecard": {"ridge": material.train.scorecard.ridge},
                "trees": {"depth": material.train.trees.depth, "ridge": material.train.trees.ridge}}
    members = alternatives.search(attempt, Room(Change(chosen), other, settings, proxies), rule)
    proposed = alternatives.propose(members, rule)
    members = tuple(msgspec.structs.replace(each, test=_on_test(material, tried[each.name], rule)) if _is_shown(each, members) else each
                    for each in members)
    asked = proposed is not None and rule.adopt == "within"
    adopted, words = _in_full(material, start, proposed.change, rule) if proposed and asked else (None, "")
    record = Search(rule, proposed.name if proposed else None, adopted is not None, alternatives.why(members, proposed, rule) + words,
                    len(ground.whole.frame), len(judged), members)
    return record, adopted


def _in_full(material: Material, start: tuple[str, int], change: Change, rule: AlternativesParams) -> tuple[Refit | None, str]:
    """What was proposed on a sample, fitted on all of development and held against the rule again: the model if it stands, and words."""
    chosen, rounds = start
    ground, everyone = material.bench(rounds), material.period(development=True, most=len(material.scope))
    base, found = (_attempt(material, ground, everyone, each, rule) for each in (Change(chosen), change))
    if base is None or found is None:
        return None, ". On all of development it cannot be compared, so it is not adopted"
    member = alternatives.compared(found[0], base[0], rule)
    words = (f". On all of development: a ratio of {member.worst.ratio:.3f} instead of {base[0].worst.ratio:.3f}, an AUC lower by "
             f"{member.auc_loss:.4f}; ")
    if not alternatives.meets(member, rule):
        return None, f"{words}that does not meet the rule, so it is not adopted"
    return found[1][0], f"{words}it is the model of this release (alternatives.adopt: within)"


def keep(folder: Path, run: Path, record: Search, adopted: Refit | None, material: Material) -> None:
    """The training run, with the adopted model in it, and the record."""
    rmtree(folder, ignore_errors=True)
    copytree(run, folder)
    (folder / "alternatives.json").write_bytes(dump(record))
    alternatives.table(record.members, record.proposed).to_csv(
        folder / "frontier.csv", index=False, lineterminator="\n", float_format="%.6g")
    if adopted is None:
        return
    candidate, choice = adopted.candidate, load_choice(run)
    proofs = json.loads((run / "monotonicity.json").read_bytes())
    proofs[candidate.name] = msgspec.to_builtins(prove(material.portfolio, candidate))
    rmtree(folder / candidate.name)
    save(folder, (candidate,), adopted.encoding, _chosen(choice, adopted, record, material))
    (folder / "monotonicity.json").write_bytes(dump(proofs))


def _attempt(material: Material, ground: Bench, judged: impact.Applicants, change: Change,
             rule: AlternativesParams) -> tuple[Tried, tuple[Refit, Scorer]] | None:
    try:
        refit = ground.fit(change)
        scorer = compose(material.portfolio, refit.candidate, refit.encoding, judged.frame, material.policy)
    except (DataError, ParamsError):  # nothing ranks without what was left out, or nobody would be approved
        return None
    groups = impact.measure(scorer, judged, rule.minimum, rule.confidence)
    at = impact.worst(groups)
    if at is None:
        return None
    return Tried(change, refit.judged, groups, at, impact.drivers(scorer, judged, at)), (refit, scorer)


def _is_shown(member: Member, members: tuple[Member, ...]) -> bool:
    """The frontier, and train's choice to compare with."""
    return member.frontier or member is members[0]


def _on_test(material: Material, tried: tuple[Refit, Scorer], rule: AlternativesParams) -> OnTest:
    test, scorer = material.part(TEST), tried[1]
    later = impact.measure(scorer, material.period(development=False, most=rule.sample), rule.minimum, rule.confidence)
    auc, _ = auc_with_variance(test[BAD].to_numpy(), score(scorer, test)["pd"].to_numpy())
    return OnTest(auc, impact.worst(later))


def _chosen(choice: Choice, adopted: Refit, record: Search, material: Material) -> Choice:
    """The choice of train with the adopted model's family, measures and reason."""
    name, params = adopted.candidate.name, material.train
    development = material.part(DEVELOPMENT)
    seen = adopted.candidate.calibrator.pd(adopted.candidate.kernel.margins(model_rows(material.portfolio, adopted.encoding, development)))
    shift = adopted.candidate.calibrator.shift
    found = {DEVELOPMENT: summary(development[BAD].to_numpy(), seen, shift)}
    if len(adopted.apart) == 1:
        found[CALIBRATION] = summary(*adopted.judged, shift)
    else:
        count = msgspec.structs.replace(params.cross_validation, folds=len(adopted.apart), repeats=1)
        found[CROSS_VALIDATION] = summarize(_calibrated_apart(adopted, params), count, params.seed, shift)
    tried = {**{each: of for each, of in choice.tried.items() if each != name}, **({name: adopted.tried} if adopted.tried else {})}
    why, measured = f"{choice.why}. {record.why}", {**choice.measured, name: found}
    return msgspec.structs.replace(choice, chosen=name, why=why, measured=measured, tried=tried)


def _calibrated_apart(adopted: Refit, params: TrainParams) -> list[tuple[Array, Array]]:
    """Per fold what happened and the PDs of a calibrator that did not see the fold."""
    found = []
    for k, (bad, margins) in enumerate(adopted.apart):
        others = [each for at, each in enumerate(adopted.apart) if at != k]
        all_bad, all_margins = map(np.concatenate, zip(*others, strict=True))
        rule = getattr(params.calibration, adopted.candidate.name)
        calibrator = shifted(fit_calibrator(rule, all_margins, all_bad, params.calibration), adopted.candidate.calibrator.shift)
        found.append((bad, calibrator.pd(margins)))
    return found
