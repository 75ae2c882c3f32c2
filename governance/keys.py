"""Keys as they lie on disk and in the signers file: P-256 in PEM form, and what they sign; and tokens for those who cannot hold one.

Refuses a private key file that others may read, any key of another kind, and a private key where a public one belongs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from feature_repo.errors import IdentityError
from governance.release import sync

PREFIX = "tally_"
TOKEN_BYTES = 32
ALGORITHM = ec.ECDSA(hashes.SHA256())


def make(path: Path) -> str:
    """Write a new private key, readable by its owner alone, unless the file is there; its public key as PEM.

    The file has its name only when it is whole, so that two processes that make it at once end with the same key.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    said = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(said)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # unlike a rename, never over a key that is there
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    sync(path.parent)
    return pem(load(path).public_key())


def load(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key in a file. Raises IdentityError where there is none, others may read it, or it is of another kind."""
    try:
        others = path.stat().st_mode & 0o077
        said = path.read_bytes()
    except OSError as error:
        raise IdentityError(f"key {path}: {error.strerror}; TALLY_KEY names your key, and `tally people init` makes one") from None
    if others:
        raise IdentityError(f"key {path} can be read by others, who could sign as you; run: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(said, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise IdentityError(f"key {path} is no private key in PEM form without a password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IdentityError(f"key {path} is of another kind; it must be an elliptic one on P-256")
    return key


@lru_cache(maxsize=1024)
def public(text: str) -> ec.EllipticCurvePublicKey:
    """A public key from its PEM. Raises IdentityError for anything but P-256."""
    if "PRIVATE KEY" in text:
        raise IdentityError("this is a private key. Take it out; it is no secret any more, so make a new one: tally people new")
    try:
        key = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise IdentityError("this is no public key in PEM form; `tally people new` prints one") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IdentityError("this is a key of another kind; it must be an elliptic one on P-256")
    return key


def pem(key: ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@lru_cache(maxsize=1024)
def fingerprint(text: str) -> str:
    """SHA-256 (hex) of a public key, however its PEM was laid out."""
    return hashlib.sha256(pem(public(text)).encode()).hexdigest()


def sign(key: ec.EllipticCurvePrivateKey, said: bytes) -> str:
    """The signature (base64) over some bytes."""
    return base64.b64encode(key.sign(said, ALGORITHM)).decode()


def verifies(text: str, signature: str, said: bytes) -> bool:
    """Whether a signature (base64) is of the key with this public PEM over these bytes."""
    try:
        public(text).verify(base64.b64decode(signature, validate=True), said, ALGORITHM)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def new_token() -> str:
    """A secret for somebody who holds no key; 256 random bits behind a prefix that a leak scanner can find."""
    return PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def token_digest(secret: str) -> str:
    """What the signers file keeps of a token. A plain hash does: nobody guesses their way through 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()
