"""Nothing planted in a release is ever executed, not even where its author signed it."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from tampering import PORTFOLIO, insiders, place_and_verify, reseal, served, write

from feature_repo.errors import ReleaseError
from governance import release, signature
from training import provenance, tracking
from training.stages.register import example


class Malicious:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return Path.touch, (self.canary,)


@pytest.fixture
def canary(tmp_path):
    """A file that is there when anything planted was executed; the trap itself works."""
    trap = tmp_path / "trapped"
    pickle.loads(pickle.dumps(Malicious(trap)))  # noqa: S301 - our own
    assert trap.exists()
    return tmp_path / "canary"


def objects(canary):
    return np.array([Malicious(canary)], dtype=object)


def object_kernel(folder, canary):
    with np.load(folder / "kernel.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(folder / "kernel.npz", allow_pickle=True, **{**arrays, "points": objects(canary)})


def object_array(folder, canary):
    with (folder / "kernel.npz").open("wb") as file:
        np.save(file, objects(canary), allow_pickle=True)


PLANTED = {
    "beside": lambda folder, canary: write(folder / "model.pkl", pickle.dumps(Malicious(canary))),
    "as the trees": lambda folder, canary: write(folder / "model.ubj", pickle.dumps(Malicious(canary))),
    "as the kernel": lambda folder, canary: write(folder / "kernel.npz", pickle.dumps(Malicious(canary))),
    "in the kernel": object_kernel,
    "as an array": object_array,
}


@pytest.mark.parametrize("where", PLANTED)
def test_a_pickle_planted_in_a_release_is_refused_and_never_executed(signed, folder, canary, tmp_path, where):
    PLANTED[where](folder, canary)

    with pytest.raises(ReleaseError):
        place_and_verify(folder, signed.signatures["right"], signed, tmp_path / "releases")
    reseal(folder)
    with pytest.raises(ReleaseError):
        signature.verify(folder, signed.signatures["right"], signed.people)
    assert not canary.exists()


@pytest.mark.parametrize("where", PLANTED)
def test_a_pickle_that_an_author_signed_is_not_executed_either(signed, folder, canary, where):
    made = insiders(signed, folder, lambda folder: PLANTED[where](folder, canary))

    if "kernel" in where or "array" in where:
        with pytest.raises(ReleaseError, match="no plain array"):
            served(made)
    else:
        served(made)
    assert not canary.exists()


def test_pickles_planted_among_the_registered_artefacts_are_neither_executed_nor_served(signed, folder, canary, tmp_path, monkeypatch):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    made = release.verify(folder)
    card = tracking.register(PORTFOLIO, made, tracking.Evidence({}, {}, provenance.tags(made), {}, example(made),
                                                               signature=signed.signatures["right"]))
    (artefacts,) = (path.parent for path in (tmp_path / "home").rglob("MLmodel"))
    planted = pickle.dumps(Malicious(canary))
    for name in ("python_model.pkl", "model.pkl", "artifacts/planted.pkl", "artifacts/release.pkl", "code/sitecustomize.pkl"):
        write(artefacts / name, planted)
    (tmp_path / "fetched").mkdir()

    fetched = tracking.fetch(card, tmp_path / "fetched")
    placed = release.place(fetched, tmp_path / "releases", card.release_id)
    said = fetched.with_suffix(".sig").read_bytes()
    assert signature.verify(placed.path, said, signed.people).name == "jane"
    served(placed)

    write(artefacts / "artifacts" / "release" / "model.pkl", planted)
    with pytest.raises(ReleaseError, match=r"model\.pkl"):
        release.place(tracking.fetch(card, tmp_path / "fetched"), tmp_path / "again", card.release_id)
    write(artefacts / "artifacts" / "release.sig", planted)
    with pytest.raises(ReleaseError, match="cannot be read"):
        signature.verify(placed.path, tracking.signature(card), signed.people)
    assert not canary.exists()
