"""What a search for better settings of the trees was asked for, and what it found: plain data, cheap to read, without Optuna.

Off by default: a model's settings are a decision that stands in params.yaml until somebody searches. What was found takes the place of
the settings it names and of nothing else; directions, seed and the choice between candidates stay as declared. `training.trials` searches.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import msgspec

from governance.release import dump
from training.params import Strict, TreesParams

Depth = Annotated[int, msgspec.Meta(ge=1, le=6)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
RESULT, TRIALS = "search.json", "trials.csv"
COLUMNS = ("trial", "state", "log_loss", "best")


class Space(Strict, frozen=True):
    """Section search, key space: lowest and highest of each setting of train.trees that is searched."""

    depth: tuple[Depth, Depth]
    rate: tuple[Share, Share]
    smallest_leaf: tuple[Positive, Positive]
    rows: tuple[Share, Share]
    columns: tuple[Share, Share]
    ridge: tuple[Positive, Positive]


class Search(Strict, frozen=True):
    """Section search."""

    trials: Annotated[int, msgspec.Meta(ge=0)]
    seed: int
    folds: Annotated[int, msgspec.Meta(ge=2)]
    space: Space


class Trial(Strict, frozen=True):
    """A row of trials.csv: state is complete, pruned or fail; a pruned trial came to no loss over all folds."""

    number: int
    state: str
    log_loss: float | None
    settings: dict[str, str]


class Best(Strict, frozen=True):
    """The trial with the least mean log loss over the folds, beside that of the settings in params.yaml (trial 0)."""

    trial: int
    log_loss: float
    log_loss_of_params: float
    trees: dict[str, int | float]


class Found(Strict, frozen=True):
    """search.json; best is None where nothing was searched."""

    trials: int = 0
    pruned: int = 0
    best: Best | None = None

    def settings(self, trees: TreesParams) -> TreesParams:
        """The settings that train uses."""
        return msgspec.structs.replace(trees, **self.best.trees) if self.best else trees

    @property
    def overrides(self) -> dict[str, str]:
        """What stands in place of settings of params.yaml, by the names that `dvc exp run -S` takes."""
        return {f"train.trees.{name}": str(value) for name, value in self.best.trees.items()} if self.best else {}

    @property
    def notes(self) -> tuple[str, ...]:
        """For choice.json: that the settings are not those of params.yaml."""
        if not self.best:
            return ()
        chosen = ", ".join(f"{name} {value:g}" for name, value in self.best.trees.items())
        note = (f"the trees have the settings of trial {self.best.trial} of a search of {self.trials} ({chosen}): log loss "
                f"{self.best.log_loss:.5f} in its folds, {self.best.log_loss_of_params:.5f} with those of params.yaml")
        return (note,)


def write(folder: Path, found: Found, table: str) -> None:
    """search.json and trials.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULT).write_bytes(dump(found))
    (folder / TRIALS).write_text(table)


def read(folder: Path) -> Found:
    """What a search found."""
    return msgspec.json.decode((folder / RESULT).read_bytes(), type=Found)


def read_trials(folder: Path) -> list[Trial]:
    """Every trial of a search, in order."""
    with (folder / TRIALS).open(newline="") as file:
        return [Trial(int(row["trial"]), row["state"], float(row["log_loss"]) if row["log_loss"] else None,
                      {name: row[name] for name in Space.__struct_fields__}) for row in csv.DictReader(file)]


def header() -> str:
    """trials.csv of no trial."""
    return ",".join([*COLUMNS, *Space.__struct_fields__]) + "\n"
