"""Who made a release: its signature by OpenSSF model-signing, beside the release directory and never in it. The only door to the library.

Verification fails closed: anything in the directory that was not signed, whatever its name; a signature that leaves something out, is cut,
or belongs to another release; a signer who is not in the signers file, was not in force then, or is no author. Slow to import (sigstore):
for the control plane, never for a scoring worker.
"""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import msgspec
from model_signing import hashing, signing, verifying

from feature_repo.errors import IdentityError, ReleaseError
from governance import keys
from governance.enrolment import Signer
from governance.people import People, Person, now
from governance.release import Release
from governance.release import verify as verify_files

SUFFIX = ".sig"
AUTHOR = "author"
MOST_BYTES = 2**20
EVERYTHING = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []}


class Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """publicKey of a bundle: SHA-256 (hex) of the key's PEM."""

    hint: str


class Material(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """verificationMaterial of a bundle: a key, and no entry of a public log."""

    public_key: Hint
    tlog_entries: tuple[()]


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signature in an envelope, base64."""

    sig: str
    keyid: Literal[""]


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """dsseEnvelope of a bundle: an in-toto statement, base64, and who signed it."""

    payload: str
    payload_type: str
    signatures: tuple[Signed]


class Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A signature file: what the library reads of it, and nothing that it would pass over."""

    media_type: str
    verification_material: Material
    dsse_envelope: Envelope


class Predicate(msgspec.Struct, frozen=True):
    """What a statement says was signed, and how it was looked at."""

    serialization: dict[str, Any]


class Statement(msgspec.Struct, frozen=True):
    """The in-toto statement in an envelope."""

    predicate: Predicate


def sign(release: Release, signer: Signer) -> bytes:
    """The signature of a release by one of its people: the bytes of a sigstore bundle, to be kept outside of the release directory."""
    if AUTHOR not in signer.person.roles:
        raise IdentityError(f"{signer.name} is no author and cannot sign a release")
    keys.load(signer.path)  # refuses a file that others may read, which the library would take
    with TemporaryDirectory() as folder:
        written = Path(folder) / f"{release.id}{SUFFIX}"
        config = signing.Config().set_hashing_config(_everything()).use_elliptic_key_signer(private_key=signer.path)
        config.sign(release.path, written)
        return written.read_bytes()


def verify(path: Path, signature: bytes, people: People, at: datetime | None = None) -> Person:
    """Who signed the release in a directory, which verifies as signed and as sealed. at: when it was recorded; None: now.

    Raises ReleaseError where release or signature are not as they were, IdentityError where the signer may not sign.
    """
    release = verify_files(path)
    person = people.by_fingerprint(_hint(signature), at or now())
    if AUTHOR not in person.roles:
        raise IdentityError(f"release {release.id[:12]} is signed by {person.name}, who is no author in {people.where}")
    with TemporaryDirectory() as folder:
        key, written = Path(folder) / "key.pub", Path(folder) / f"{release.id}{SUFFIX}"
        key.write_text(keys.pem(keys.public(person.key)))
        written.write_bytes(signature)
        config = verifying.Config().set_hashing_config(_everything()).use_elliptic_key_verifier(public_key=key)
        try:
            config.verify(path, written)
        except Exception as error:  # noqa: BLE001 - whatever the library's parsers raise, it has not verified
            told = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            raise ReleaseError(f"release {release.id[:12]} is not what {person.name} signed ({told}); fetch it again") from None
    return person


def _everything() -> hashing.Config:
    """Every file counts. By default the library leaves out .git, .github, .gitattributes and .gitignore, which could then be added."""
    return hashing.Config().use_file_serialization(hashing_algorithm="sha256").set_ignored_paths(paths=(), ignore_git_paths=False)


def _hint(signature: bytes) -> str:
    """Whose key a signature claims. Raises ReleaseError for a malformed one, and for one that leaves files out: those could be anything."""
    if len(signature) > MOST_BYTES:
        raise ReleaseError(f"the signature has more than {MOST_BYTES} bytes; that is none")
    try:
        bundle = msgspec.json.decode(signature, type=Bundle)
        said = msgspec.json.decode(_plain(bundle.dsse_envelope.payload), type=Statement)
        _plain(bundle.dsse_envelope.signatures[0].sig)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ReleaseError(f"the signature cannot be read: {error}; fetch the release again") from None
    if {"ignore_paths": [], **said.predicate.serialization} != EVERYTHING:
        raise ReleaseError("the signature leaves something of the release out; sign it again: dvc repro")
    return bundle.verification_material.public_key.hint


def _plain(text: str) -> bytes:
    """What a base64 text stands for; one with bits to spare at its end is refused, since it could be changed unseen."""
    plain = base64.b64decode(text, validate=True)
    if base64.b64encode(plain).decode() != text:
        raise ValueError("base64 with bits to spare")
    return plain
