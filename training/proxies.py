"""Whether the inputs can tell who belongs to a protected group: each alone, and all together. Read before anything is trained.

Alone: the AUC of each group against the rest, from shares of the group per bin and level that are learnt on the other folds, whichever
way they run; of all rows and of those where the input is filled, so that gaps do not hide a copy. Together: a ridge regression on those
shares and on the values' places, cross-fitted. Looks at an even sample of everyone who applied in development. A group of few is
withheld: neither measured nor shown. Draws no legal conclusion: what doing without a proxy costs is shown by `training.alternatives`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

from feature_repo.contract import APPLICATION_ID
from feature_repo.portfolio import Portfolio
from training import power
from training.params import Count, Strict

Array = np.ndarray[Any, Any]
Auc = Annotated[float, msgspec.Meta(ge=0.5, le=1)]
DIGITS = 4  # what is left is the rounding of sums, which differs from machine to machine


class ProxiesParams(Strict, frozen=True):
    """Section audit, key proxies."""

    copy_auc: Auc
    strong_auc: Auc
    sample: Count
    least: Count
    folds: Annotated[int, msgspec.Meta(ge=2)]
    seed: int


class Tell(msgspec.Struct, frozen=True):
    """How well one input alone tells a group from the rest (the group it tells best).

    contribution: what the AUC of all inputs together loses when this one is shuffled; null where it is not strong.
    """

    input: str
    group: str
    auc: float
    contribution: float | None = None


class Told(msgspec.Struct, frozen=True):
    """What the inputs tell of one attribute.

    rows: applications of a measured group; groups: those measured; withheld: how many were too small; unmeasured: why nothing is said,
    else empty; together: all inputs; alone: each input, best first; copies and strong: those beyond the limits.
    """

    attribute: str
    rows: int
    groups: tuple[str, ...]
    withheld: int
    unmeasured: str = ""
    together: Tell | None = None
    alone: tuple[Tell, ...] = ()
    copies: tuple[str, ...] = ()
    strong: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """A sample, one column per input: its code (bin or level), its place among all from -1 to 1 (0 for levels and gaps), whether filled."""

    names: tuple[str, ...]
    codes: Array
    places: Array
    filled: Array

    def of(self, at: Array) -> Rows:
        """Some of the rows."""
        return Rows(self.names, self.codes[at], self.places[at], self.filled[at])

    def shuffled(self, name: str, random: np.random.Generator) -> Rows:
        """The rows with one input drawn anew from its own values; as they are for no name."""
        if not name:
            return self
        codes, places, drawn, j = self.codes.copy(), self.places.copy(), random.permutation(len(self.codes)), self.names.index(name)
        codes[:, j], places[:, j] = codes[drawn, j], places[drawn, j]
        return Rows(self.names, codes, places, self.filled)


def measure(portfolio: Portfolio, everyone: pd.DataFrame, protected: pd.DataFrame, params: ProxiesParams) -> tuple[Told, ...]:
    """Every protected attribute. everyone: the assembled applications of development; protected: the vault's table."""
    if not portfolio.protected:
        return ()
    sample = evenly(everyone, params.sample)
    groups = sample[[APPLICATION_ID]].merge(protected, on=APPLICATION_ID, how="left", validate="one_to_one")
    rows = _rows(portfolio, sample)
    return tuple(_told(column.name, groups[column.name].to_numpy(dtype=object), rows, params) for column in portfolio.protected)


def evenly(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most so many rows, evenly spaced in the frame's own order, which is that of time."""
    return frame.iloc[np.linspace(0, len(frame) - 1, min(most, len(frame))).astype(np.int64)]


def _rows(portfolio: Portfolio, sample: pd.DataFrame) -> Rows:
    inputs = portfolio.inputs
    codes = [pd.factorize(sample[column.name], use_na_sentinel=False)[0] if column.is_level
             else power.bins(sample[column.name].to_numpy(dtype=np.float64), column.special) for column in inputs]
    filled = [sample[column.name].notna().to_numpy() for column in inputs]
    places = [np.zeros(len(sample)) if column.is_level else _places(sample[column.name]) for column in inputs]
    return Rows(tuple(column.name for column in inputs), np.column_stack(codes), np.column_stack(places), np.column_stack(filled))


def _places(values: pd.Series) -> Array:
    """-1 for the least to 1 for the greatest, 0 where missing."""
    return (values.rank(pct=True) * 2 - 1).fillna(0.0).to_numpy()


def _told(attribute: str, groups: Array, rows: Rows, params: ProxiesParams) -> Told:
    counts = pd.Series(groups).value_counts()
    measured = tuple(sorted(str(group) for group in counts.index[counts >= params.least]))
    kept = pd.Series(groups).isin(measured).to_numpy()
    withheld = len(counts) - len(measured)
    if len(measured) < 2:
        why = f"{len(measured)} of its groups have {params.least} applications in the sample, and two are compared"
        return Told(attribute, int(kept.sum()), measured, withheld, why)
    labels, rows = groups[kept].astype(str), rows.of(kept)
    alone = tuple(sorted(_alone(labels, rows, params), key=lambda tell: -tell.auc))
    strong = tuple(tell.input for tell in alone if tell.auc >= params.strong_auc)
    together, shuffled = _together(labels, rows, strong, params)
    priced = tuple(msgspec.structs.replace(tell, contribution=shuffled.get(tell.input)) for tell in alone)
    copies = tuple(tell.input for tell in alone if tell.auc >= params.copy_auc)
    return Told(attribute, len(labels), measured, withheld, "", together, priced, copies, strong)


def _alone(labels: Array, rows: Rows, params: ProxiesParams) -> list[Tell]:
    """Per input its best group. The shares of a group per code are learnt on the other folds."""
    classes, target = np.unique(labels, return_inverse=True)
    rates = _encoder(params, len(classes)).fit_transform(rows.codes, target)
    columns = rates.reshape(len(labels), len(rows.names), -1)
    found = []
    for j, name in enumerate(rows.names):
        aucs = [(_best(target == at, columns[:, j, k], rows.filled[:, j], params.least), str(classes[at]))
                for k, at in enumerate(range(len(classes)) if len(classes) > 2 else (1,))]
        auc, group = max(aucs)
        found.append(Tell(name, group, round(auc, DIGITS)))
    return found


def _best(member: Array, rates: Array, filled: Array, least: int) -> float:
    """AUC of all rows, or of those where the input is filled, where these are many enough to say."""
    auc = max(0.5, float(roc_auc_score(member, rates)))
    inside = int(member[filled].sum())
    if filled.all() or min(inside, int(filled.sum()) - inside) < least:
        return auc
    return max(auc, float(roc_auc_score(member[filled], rates[filled])))


def _together(labels: Array, rows: Rows, strong: tuple[str, ...], params: ProxiesParams) -> tuple[Tell, dict[str, float]]:
    """The group that all inputs together tell best, and what is lost of its AUC with each of `strong` shuffled."""
    classes, target = np.unique(labels, return_inverse=True)
    members = (target[:, None] == np.arange(len(classes))).astype(np.float64)
    found = {name: np.empty(members.shape) for name in ("", *strong)}
    random = np.random.default_rng(params.seed)
    for fits, kept in StratifiedKFold(params.folds, shuffle=True, random_state=params.seed).split(rows.codes, target):
        encoder, model = _encoder(params, len(classes)), make_pipeline(StandardScaler(), Ridge())
        model.fit(np.hstack([encoder.fit_transform(rows.codes[fits], target[fits]), rows.places[fits]]), members[fits])
        for name, members_found in found.items():
            unseen = rows.of(kept).shuffled(name, random)
            members_found[kept] = model.predict(np.hstack([encoder.transform(unseen.codes), unseen.places]))
    aucs = [float(roc_auc_score(members[:, at], found[""][:, at])) for at in range(len(classes))]
    best = int(np.argmax(aucs))
    lost = {name: round(aucs[best] - float(roc_auc_score(members[:, best], found[name][:, best])), DIGITS) for name in strong}
    return Tell("", str(classes[best]), round(max(aucs[best], 0.5), DIGITS)), lost


def _encoder(params: ProxiesParams, classes: int) -> TargetEncoder:
    folds = StratifiedKFold(params.folds, shuffle=True, random_state=params.seed)
    return TargetEncoder(target_type="multiclass" if classes > 2 else "binary", cv=folds)
