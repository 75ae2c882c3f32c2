"""The candidates of a training run as data: kept on disk without a pickle, one of them chosen by the declared rule.

Refuses nothing on the quality of a model: gates do that, before promotion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from governance.release import dump, write_arrays
from serving.scoring.decision import KERNELS, Encoding
from serving.scoring.kernel import Kernel
from serving.scoring.parts import Calibrator
from training.calibration import Tried
from training.params import ChoiceParams, Method

Array = np.ndarray[Any, Any]
Measured = dict[str, dict[str, dict[str, float]]]
CROSS_VALIDATION = "cross_validation"
SMALLER_IS_BETTER = ("brier", "log_loss")


@dataclass(frozen=True)
class Candidate:
    """A calibrated model. name: "scorecard" or "trees"; native: its own file's name and bytes."""

    name: str
    kernel: Kernel
    calibrator: Calibrator
    native: tuple[str, bytes]


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """choice.json: which candidate, why, by what rule, on what measures (candidate -> part -> measure), and what was noticed.

    tried: per candidate that had a choice of calibrations, how each method did.
    """

    chosen: str
    why: str
    rule: ChoiceParams
    measured: Measured
    notes: tuple[str, ...]
    tried: dict[str, dict[Method, Tried]] = {}

    @property
    def cross_validation(self) -> dict[str, float] | None:
        """How the chosen recipe did in cross-validation, where development was too small for a calibration part."""
        return self.measured[self.chosen].get(CROSS_VALIDATION)


def choose(measured: Measured, rule: ChoiceParams, notes: tuple[str, ...] = ()) -> Choice:
    """The preferred candidate, unless the other is better by at least the declared margin.

    Without the rule's part (a development too small for calibration) both are compared by cross-validation.
    """
    (other,) = measured.keys() - {rule.prefer}
    part = rule.part if rule.part in measured[other] else CROSS_VALIDATION
    preferred, rival = (measured[name][part][rule.measure] for name in (rule.prefer, other))
    better = preferred - rival if rule.measure in SMALLER_IS_BETTER else rival - preferred
    wins = better >= rule.unless_better_by
    why = (f"{other} has {rule.measure} {rival:.4f} on {part.replace('_', '-')} against {preferred:.4f} of the preferred {rule.prefer}: "
           f"better by {better:.4f}, {'at least' if wins else 'less than'} the {rule.unless_better_by:g} the rule asks for")
    return Choice(other if wins else rule.prefer, why, rule, measured, notes)


def save(train: Path, candidates: Sequence[Candidate], encoding: Encoding, choice: Choice) -> None:
    """Write encoding.json, choice.json and a folder per candidate."""
    for candidate in candidates:
        folder = train / candidate.name
        folder.mkdir(parents=True, exist_ok=True)
        write_arrays(folder / "kernel.npz", candidate.kernel.arrays())
        (folder / "calibrator.json").write_bytes(dump(candidate.calibrator))
        (folder / candidate.native[0]).write_bytes(candidate.native[1])
    (train / "encoding.json").write_bytes(dump(encoding))
    (train / "choice.json").write_bytes(dump(choice))


def load_chosen(train: Path) -> tuple[Candidate, Encoding]:
    """The chosen candidate of a training run and its encoding."""
    return load_candidate(train, load_choice(train).chosen)


def load_choice(train: Path) -> Choice:
    """What a training run chose, and on what measures."""
    return msgspec.json.decode((train / "choice.json").read_bytes(), type=Choice)


def load_candidate(train: Path, name: str) -> tuple[Candidate, Encoding]:
    """A candidate of a training run, by name, and their common encoding."""
    folder = train / name
    with np.load(folder / "kernel.npz", allow_pickle=False) as archive:
        kernel = KERNELS[name](**archive)
    calibrator = msgspec.json.decode((folder / "calibrator.json").read_bytes(), type=Calibrator)
    native = next(path for path in sorted(folder.iterdir()) if path.name not in ("kernel.npz", "calibrator.json"))
    encoding = msgspec.json.decode((train / "encoding.json").read_bytes(), type=Encoding)
    return Candidate(name, kernel, calibrator, (native.name, native.read_bytes())), encoding
