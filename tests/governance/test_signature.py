"""A signature names the author of a release, over every file of it, and is judged at the moment the release was recorded."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from model_signing import _cli, signing

from feature_repo.errors import IdentityError, ReleaseError
from governance import enrolment, keys, people, release, signature


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return enrolment.place(tmp_path_factory.mktemp("home"), {"TALLY_ACTOR": "jane"})


@pytest.fixture(scope="module")
def jane(place):
    return enrolment.signer(place)


@pytest.fixture(scope="module")
def made(tmp_path_factory, make_release):
    return make_release(tmp_path_factory.mktemp("made") / "release")


@pytest.fixture(scope="module")
def signed(made, jane):
    return signature.sign(made, jane)


def test_a_signature_names_the_author_wherever_the_release_lies(made, signed, place, tmp_path):
    placed = release.place(made.path, tmp_path / "releases")

    assert placed.path.name != made.path.name
    assert [signature.verify(path, signed, place.people).name for path in (made.path, placed.path)] == ["jane", "jane"]
    assert [*made.path.rglob("*.sig")] == []


def test_every_file_is_signed_those_of_git_too(made, jane, tmp_path, place):
    (tmp_path / "release").mkdir()
    for path in made.path.iterdir():
        (tmp_path / "release" / path.name).write_bytes(path.read_bytes())
    for name in (".gitattributes", ".gitignore"):
        (tmp_path / "release" / name).write_text("*.npz -text\n")
    (tmp_path / "release" / release.MANIFEST).write_bytes(release.dump({
        **json.loads((made.path / release.MANIFEST).read_bytes()), "files": release.digests(tmp_path / "release")}))
    other = release.verify(tmp_path / "release")

    said = json.loads(signature.sign(other, jane))
    statement = json.loads(base64.b64decode(said["dsseEnvelope"]["payload"]))

    names = {resource["name"] for resource in statement["predicate"]["resources"]}
    assert names == {path.name for path in other.path.iterdir()}


def test_a_signature_by_the_librarys_defaults_which_leave_files_of_git_out_is_refused(made, jane, place, tmp_path):
    signing.Config().use_elliptic_key_signer(private_key=jane.path).sign(made.path, tmp_path / "default.sig")

    with pytest.raises(ReleaseError, match="leaves something of the release out"):
        signature.verify(made.path, (tmp_path / "default.sig").read_bytes(), place.people)


def test_anybody_can_verify_it_without_us_by_the_command_that_docs_people_names(made, signed, jane, tmp_path):
    (tmp_path / "RELEASE.sig").write_bytes(signed)
    (tmp_path / "jane.pub").write_text(jane.person.key)
    placed = release.place(made.path, tmp_path).path.rename(tmp_path / "RELEASE")
    page = (Path(__file__).parents[2] / "docs" / "people.md").read_text()
    (command,) = (line.split()[1:] for line in page.splitlines() if line.startswith("    model_signing"))
    words = [str(tmp_path / word) if (tmp_path / word).exists() else word for word in command]

    assert CliRunner().invoke(_cli.main, words).exit_code == 0
    (placed / ".gitattributes").write_text("*.npz -text\n")
    assert CliRunner().invoke(_cli.main, words).exit_code != 0


def test_it_is_judged_at_the_moment_it_was_recorded(made, tmp_path):
    place = enrolment.place(tmp_path, {"TALLY_ACTOR": "jane"})
    jane = enrolment.signer(place)
    said, recorded = signature.sign(made, jane), people.now()
    until = enrolment.end(place, "jane").until

    assert signature.verify(made.path, said, place.people, recorded).name == "jane"
    for at in (None, until, jane.person.since - timedelta(microseconds=1)):
        with pytest.raises(IdentityError, match="may not act"):
            signature.verify(made.path, said, place.people, at)


def test_a_key_of_nobody_in_the_file_is_refused_and_told(made, signed, tmp_path):
    elsewhere = enrolment.place(tmp_path, {"TALLY_ACTOR": "jane"})
    enrolment.signer(elsewhere)

    with pytest.raises(IdentityError, match="nobody's"):
        signature.verify(made.path, signed, elsewhere.people)


def test_somebody_who_is_no_author_cannot_sign_and_does_not_count(made, tmp_path):
    place = enrolment.place(tmp_path, {"TALLY_ACTOR": "olga"})
    enrolment.add(place, "olga", ("author",))
    said = signature.sign(made, enrolment.signer(place))
    enrolment.add(place, "olga", ("owner", "approver"))

    with pytest.raises(IdentityError, match="no author"):
        signature.sign(made, enrolment.signer(place))
    with pytest.raises(IdentityError, match="no author"):
        signature.verify(made.path, said, place.people)


def test_a_key_that_others_may_read_signs_nothing(made, tmp_path):
    place = enrolment.place(tmp_path, {"TALLY_ACTOR": "jane"})
    jane = enrolment.signer(place)
    jane.path.chmod(0o644)

    with pytest.raises(IdentityError, match="chmod 600"):
        signature.sign(made, jane)


def test_a_signature_is_found_by_its_key_however_the_file_lays_it_out(made, signed, place):
    (entry,) = place.people
    laid_out = entry.key.replace("\n", "\r\n") + "\n\n"

    assert keys.fingerprint(laid_out) == entry.fingerprint


def test_a_worker_that_scores_imports_neither_signing_nor_the_registry():
    said = "import sys, serving.service, governance.people; print([n for n in ('model_signing', 'mlflow', 'sigstore') if n in sys.modules])"

    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
                          env={"PATH": "", "TALLY_PORTFOLIO": "card_default", "HOME": "/nowhere", "BENTOML_DO_NOT_TRACK": "True"})

    assert done.stdout.strip().splitlines()[-1:] == ["[]"], done.stderr
