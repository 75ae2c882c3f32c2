"""A release that is not what its author signed is refused, whatever was done to it; and nothing planted in one is ever executed."""

from __future__ import annotations

import json
import os
import random
from itertools import combinations

import msgspec
import pytest
from tampering import insiders, place_and_verify, reseal, served, write

from feature_repo.errors import IdentityError, ReleaseError
from governance import release, signature
from governance.release import MANIFEST

FILES = ("calibrator.json", "contract.json", "encoding.json", "golden.json", "kernel.npz", "policy.json", "reasons.json", MANIFEST)


ADDED = (".gitattributes", ".gitignore", ".git/config", ".github/workflow.yml", ".hidden", "model.pkl", "kernel.npz.bak", "inner/file",
         "policy.json ", "Policy.json", "ünïcode.json", "release.json.sig", ".DS_Store", "__pycache__/kernel.cpython-311.pyc", "-rf")


def flip(path, at, bit):
    raw = bytearray(path.read_bytes())
    raw[at % len(raw)] ^= 1 << bit
    path.write_bytes(raw)


def swap(folder, one, other):
    first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
    (folder / one).write_bytes(second)
    (folder / other).write_bytes(first)


def to_link(path, folder):
    aside = path.parent.parent / f"aside-{path.name}"
    path.rename(aside)
    path.symlink_to(aside, target_is_directory=folder)


def changes():
    """Name -> what is done to the directory."""
    chance = random.Random(5)  # noqa: S311 - which bits, not a secret
    for number in range(100):
        name, at, bit = FILES[number % len(FILES)], chance.randrange(2**31), chance.randrange(8)
        yield f"bit {number} of {name}", lambda folder, name=name, at=at, bit=bit: flip(folder / name, at, bit)
    for name in FILES:
        yield f"{name} missing", lambda folder, name=name: (folder / name).unlink()
        yield f"{name} empty", lambda folder, name=name: (folder / name).write_bytes(b"")
        yield f"{name} cut", lambda folder, name=name: os.truncate(folder / name, (folder / name).stat().st_size - 1)
        yield f"{name} longer", lambda folder, name=name: write(folder / name, (folder / name).read_bytes() + b"\n")
        yield f"{name} a link to the same bytes", lambda folder, name=name: to_link(folder / name, folder=False)
        yield f"{name} renamed", lambda folder, name=name: (folder / name).rename(folder / f"{name}.txt")
    for name in ADDED:
        yield f"{name} added", lambda folder, name=name: write(folder / name)
    for one, other in combinations(FILES, 2):
        yield f"{one} and {other} swapped", lambda folder, one=one, other=other: swap(folder, one, other)
    yield "a link added", lambda folder: (folder / "link").symlink_to("/etc/hostname")
    yield "a dangling link added", lambda folder: (folder / "link").symlink_to("nothing")
    yield "a pipe added", lambda folder: os.mkfifo(folder / "pipe")
    yield "an empty folder added", lambda folder: (folder / "empty").mkdir()
    yield "the folder a link", lambda folder: to_link(folder, folder=True)
    yield "everything gone", lambda folder: [path.unlink() for path in folder.iterdir()]


CHANGES = dict(changes())


NO_FILES = ("a pipe", "an empty folder", "everything")  # what a manifest cannot be written anew over


RESEALED = [name for name in CHANGES if MANIFEST not in name and "link" not in name and not name.startswith(NO_FILES)]


def test_there_are_at_least_two_hundred_cases_and_what_was_not_touched_passes(signed, folder, tmp_path):
    assert len(CHANGES) + len(RESEALED) + len(SIGNATURES) >= 200
    assert set(FILES) <= {path.name for path in folder.iterdir()}
    assert place_and_verify(folder, signed.signatures["right"], signed, tmp_path / "releases").name == "jane"


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_directory_is_refused_by_its_manifest_and_by_its_signature(signed, folder, tmp_path, change):
    CHANGES[change](folder)

    with pytest.raises(ReleaseError):
        place_and_verify(folder, signed.signatures["right"], signed, tmp_path / "releases")
    with pytest.raises(ReleaseError):
        signature.verify(folder, signed.signatures["right"], signed.people)
    assert not [*tmp_path.glob("releases/[!.]*")]


@pytest.mark.parametrize("change", RESEALED)
def test_a_changed_directory_whose_manifest_was_written_anew_is_refused_by_its_signature(signed, folder, change):
    CHANGES[change](folder)
    reseal(folder)

    assert release.verify(folder).id != signed.release.id
    with pytest.raises(ReleaseError, match="not what jane signed"):
        signature.verify(folder, signed.signatures["right"], signed.people)


def altered(change):
    """A signature whose statement says something else, signed by nobody."""
    return lambda signed: msgspec.json.encode(change(json.loads(signed.signatures["right"])))


def without_hint(said):
    said["verificationMaterial"]["publicKey"] = {}
    return said


def without_signatures(said):
    said["dsseEnvelope"]["signatures"] = []
    return said


SIGNATURES = {
    **{f"bit {at}": lambda signed, at=at: bytes(byte ^ (at == i) * (1 << at % 8) for i, byte in enumerate(signed.signatures["right"]))
       for at in range(3, 2700, 90)},
    **{f"cut after {size}": lambda signed, size=size: signed.signatures["right"][:size] for size in (0, 1, 100, 1000, 2000, -1)},
    **{said: lambda signed, said=said: signed.signatures[said]
       for said in ("of another release", "of a stranger with the author's name", "of somebody who is no author")},
    "twice": lambda signed: signed.signatures["right"] * 2,
    "no JSON": lambda _: b"\x80\x04.",
    "another JSON": lambda _: b"[]",
    "deep": lambda _: b"[" * 100_000,
    "huge": lambda _: b" " * 2**21,
    "without its key": altered(without_hint),
    "by nobody": altered(without_signatures),
}


@pytest.mark.parametrize("said", SIGNATURES)
def test_a_signature_that_is_not_the_authors_over_this_release_is_refused(signed, said):
    with pytest.raises((ReleaseError, IdentityError)):
        signature.verify(signed.release.path, SIGNATURES[said](signed), signed.people)


def other_interface(folder):
    manifest = json.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_bytes(release.dump({**manifest, "interface_hash": "0" * 64}))


def wrong_answers(folder):
    golden = json.loads((folder / "golden.json").read_bytes())
    golden[0]["decision"]["pd"] += 1e-12
    (folder / "golden.json").write_bytes(release.dump(golden))


def no_questions(folder):
    (folder / "golden.json").write_bytes(b"[]")


@pytest.mark.parametrize(("change", "said"), [(other_interface, "another interface"), (wrong_answers, "otherwise than when it was made"),
                                              (no_questions, "no golden questions")])
def test_a_signed_release_of_another_interface_or_with_wrong_answers_is_refused(signed, folder, change, said):
    made = insiders(signed, folder, change)

    with pytest.raises(ReleaseError, match=said):
        served(made)
