"""Fixtures of the tests against altered releases: one its author signed, and what others may do to it."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import msgspec
import pytest

from feature_repo.portfolios import load as portfolio_of
from governance import enrolment, release, signature
from governance.release import MANIFEST
from serving import champion
from serving.scoring import decision

PORTFOLIO = portfolio_of("card_default")


@pytest.fixture(scope="module")
def signed(tmp_path_factory, make_release):
    """A release, signed by its author; and what others may have signed."""
    folder = tmp_path_factory.mktemp("signed")
    place = enrolment.place(folder / "home", {"TALLY_ACTOR": "jane"})
    jane, stranger = enrolment.signer(place), enrolment.signer(enrolment.place(folder / "elsewhere", {"TALLY_ACTOR": "jane"}))
    enrolment.add(place, "olga", ("owner", "approver"))
    made, other = make_release(folder / "release"), make_release(folder / "other", intercept=-2.0)
    olga = enrolment.signer(place, "olga")
    as_author = enrolment.Signer(msgspec.structs.replace(olga.person, roles=("author",)), olga.path)
    signatures = {"right": signature.sign(made, jane), "of another release": signature.sign(other, jane),
                  "of a stranger with the author's name": signature.sign(made, stranger),
                  "of somebody who is no author": signature.sign(made, as_author)}
    return SimpleNamespace(release=made, other=other, jane=jane, people=place.people, place=place, signatures=signatures)


def place_and_verify(folder, said, signed, into):
    """What stands between a registry and a service: fetched, placed, its signature checked."""
    placed = release.place(folder, into, signed.release.id)
    return signature.verify(placed.path, said, signed.people)


def reseal(folder):
    """Let the manifest say what the files are now, as somebody would who knows how."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_bytes(release.dump({**manifest, "files": release.digests(folder)}))


@pytest.fixture
def folder(signed, tmp_path):
    return shutil.copytree(signed.release.path, tmp_path / "release")


def insiders(signed, folder, change):
    """A release changed, sealed anew and signed by its author."""
    change(folder)
    reseal(folder)
    said = signature.sign(release.verify(folder), signed.jane)
    assert signature.verify(folder, said, signed.people).name == "jane"
    return release.verify(folder)


def served(made):
    """What a worker does with a placed release before it serves."""
    scorer = decision.load(made, PORTFOLIO)
    champion.prove(made, scorer)


def write(path, said=b"\x80\x04."):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(said)
