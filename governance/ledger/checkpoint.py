"""Checkpoints: size and root of a log, signed by its key, as a C2SP tlog-checkpoint in a C2SP signed note (Ed25519).

Responsible for the log's key, its text form, and for what may be believed of a note. Refuses a note that is malformed in any way, written
otherwise than we would, or not signed by the key that was asked for; and a private key that others may read. One key signs all months of
a portfolio's logs: its name is what their origins begin with.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from feature_repo.errors import LedgerError
from governance.release import sync

ED25519 = b"\x01"
NAME = re.compile(r"[^\s+]+")
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
MOST_SIGNATURES = 64
LOG_KEY = Path("keys", "log.pem")


@dataclass(frozen=True)
class Verifier:
    """A public key under a name. `str()` is its text form: name+hash+base64."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    def signed(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Key:
    """The private key of a portfolio's logs. Not shown when printed."""

    name: str
    _private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"Key({self.name!r})"

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self._private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The note of a text, which ends in a newline."""
        signature = b64encode(self.verifier.id + self._private.sign(text.encode())).decode()
        return f"{text}\n\u2014 {self.name} {signature}\n"


@dataclass(frozen=True)
class Checkpoint:
    """How many entries a log holds, and the root of their tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def verifier(text: str) -> Verifier:
    """A key from its text form. Raises LedgerError."""
    name, _, rest = text.strip().partition("+")
    number, _, encoded = rest.partition("+")
    key = _base64(encoded)
    if not NAME.fullmatch(name) or len(key) != 33 or key[:1] != ED25519 or number != Verifier(name, key[1:]).id.hex():
        raise LedgerError("a log's key is name+hash+base64, as `tally checkpoint --key` prints it; this one is not whole")
    return Verifier(name, key[1:])


def open_note(note: bytes, trusted: Verifier, *, alone: bool = True) -> str:
    """The text of a note that `trusted` signed. alone: and nobody else. Raises LedgerError where anything is not as it must be."""
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError:
        raise LedgerError("is not UTF-8") from None
    text, _, lines = whole.rpartition("\n\n")
    if not text or CONTROL.search(whole) or not lines.endswith("\n"):
        raise LedgerError("is no signed note")
    signatures = [_signature(line) for line in lines[:-1].split("\n")[: MOST_SIGNATURES + 1]]
    ours = [signature[4:] for name, signature in signatures if (name, signature[:4]) == (trusted.name, trusted.id)]
    if not ours or (alone and len(signatures) != 1) or len(signatures) > MOST_SIGNATURES:
        raise LedgerError(f"is not signed by {trusted.name} with the key {trusted.id.hex()}" + " and nobody else" * alone)
    if not all(trusted.signed(f"{text}\n", each) for each in ours):
        raise LedgerError(f"the signature of {trusted.name} does not hold")
    return f"{text}\n"


def read(note: bytes, trusted: Verifier, *, alone: bool = True) -> Checkpoint:
    """A checkpoint that `trusted` signed. Raises LedgerError."""
    lines = open_note(note, trusted, alone=alone).split("\n")
    if len(lines) != 4 or not SIZE.fullmatch(lines[1]) or not lines[0].startswith(f"{trusted.name}/"):
        raise LedgerError(f"is no checkpoint of a log of {trusted.name}: origin, size and root, a line each")
    found = Checkpoint(lines[0], int(lines[1]), _base64(lines[2]))
    if len(found.root) != 32:
        raise LedgerError("its root is no SHA-256")
    return found


def open_key(home: Path, name: str, *, make: bool = True) -> Key:
    """The key of the logs called `name`, in `home`; make: on first use, for its owner alone."""
    path = home / LOG_KEY
    if make and not path.exists():
        _make(path)
    try:
        if path.stat().st_mode & 0o077:
            raise LedgerError(f"others may read {LOG_KEY}; chmod 600 it, and think about whether they did")
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise LedgerError(f"the log's key {LOG_KEY} cannot be read ({type(error).__name__}); restore it, or name the public one: --key"
                          ) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise LedgerError(f"{LOG_KEY} is no Ed25519 key")
    return Key(name, private)


def _make(path: Path) -> None:
    """Write a new key, whole and durable before it has its name; the first of several processes wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                     serialization.NoEncryption())
    with NamedTemporaryFile(dir=path.parent) as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
    sync(path.parent)


def _signature(line: str) -> tuple[str, bytes]:
    """Key name, and key id with signature, of a line of a note."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    signature = _base64(encoded)
    if dash != "\u2014" or not NAME.fullmatch(name) or len(signature) < 5:
        raise LedgerError("has a line that is no signature")
    return name, signature


def _base64(text: str) -> bytes:
    """Strictly, and in the one way to write it: nothing where it is not."""
    try:
        found = b64decode(text.encode("ascii"), validate=True)
    except (NotBase64, UnicodeEncodeError):
        return b""
    return found if b64encode(found).decode() == text else b""
