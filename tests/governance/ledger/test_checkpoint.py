"""A checkpoint is a C2SP signed note that only the log's key can have made, and is read in the one way it is written."""

from __future__ import annotations

import stat
import subprocess
import sys
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.errors import LedgerError
from governance.ledger.checkpoint import LOG_KEY, Checkpoint, Key, open_key, open_note, read, verifier

LOG = "tallystick.local/harbour"
OURS = Key(LOG, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
THEIRS = Key(LOG, Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
CHECKPOINT = Checkpoint(f"{LOG}/2026-11", 20852163, bytes(range(32)))
NOTE = OURS.sign(CHECKPOINT.text)

# The example of golang.org/x/mod/sumdb/note, whose format the C2SP specification describes.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SAID = ("If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n")


def test_a_published_note_is_read_and_its_key_is_written_alike():
    assert open_note(SAID.encode(), verifier(PETER)).endswith("what your problem is.\n")
    assert str(verifier(PETER)) == PETER


def test_a_checkpoint_has_the_published_form():
    assert NOTE.splitlines()[:4] == [f"{LOG}/2026-11", "20852163", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert NOTE.splitlines()[4].startswith(f"\u2014 {LOG} ")
    assert read(NOTE.encode(), OURS.verifier) == CHECKPOINT


def test_a_key_in_its_text_form_is_the_same_key():
    assert verifier(f"{OURS.verifier}\n") == OURS.verifier


@pytest.mark.parametrize("text", ["", "a", "a+b+c", PETER[:-1], PETER.replace("c74f20a3", "c74f20a4"), PETER.replace("PeterN", "PeterM"),
                                  PETER.replace("+ARpc", "+ARpd"), PETER.replace("PeterN", "Peter N"), PETER.upper()])
def test_a_key_that_is_not_whole_is_refused(text):
    with pytest.raises(LedgerError, match=r"name\+hash\+base64"):
        verifier(text)


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(0, 7))
def test_a_note_with_one_bit_flipped_is_refused(place, bit):
    changed = bytearray(NOTE.encode())
    changed[place] ^= 1 << bit
    with pytest.raises(LedgerError):
        read(bytes(changed), OURS.verifier)


@pytest.mark.parametrize("note", [
    b"", b"\n\n", NOTE[:-1].encode(), NOTE.encode() + b"\n", NOTE.replace("\n", "\r\n").encode(), NOTE.replace("\n\n", "\n").encode(),
    NOTE.split("\n\n")[0].encode(), b"\xff" + NOTE.encode(), NOTE.encode() + NOTE.splitlines(keepends=True)[-1].encode(),
    THEIRS.sign(CHECKPOINT.text).encode(), Key("tallystick.local/mill", OURS._private).sign(CHECKPOINT.text).encode(),
    NOTE.encode() + "\u2014 witness AAAAAAAA\n".encode(), NOTE.encode() + b"- witness AAAAAAAA\n"], ids=range(13))
def test_a_note_that_is_malformed_or_anothers_is_refused(note):
    with pytest.raises(LedgerError):
        read(note, OURS.verifier)


@pytest.mark.parametrize("text", [
    f"{LOG}/2026-11\n12\n", f"{LOG}/2026-11\n012\nAA==\n", f"{LOG}/2026-11\n-1\n{b64encode(bytes(32)).decode()}\n",
    f"{LOG}/2026-11\n1\nAA==\n", f"tallystick.local/mill/2026-11\n1\n{b64encode(bytes(32)).decode()}\n",
    f"{LOG}/2026-11\n1\n{b64encode(bytes(32)).decode()}\nextension\n"], ids=range(6))
def test_a_signed_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(LedgerError):
        read(OURS.sign(text).encode(), OURS.verifier)


def test_a_witness_may_sign_beside_the_log_where_that_is_asked_for():
    witnessed = NOTE + THEIRS.sign(CHECKPOINT.text).splitlines(keepends=True)[-1].replace(LOG, "witness.example/w")
    assert read(witnessed.encode(), OURS.verifier, alone=False) == CHECKPOINT
    with pytest.raises(LedgerError, match="nobody else"):
        read(witnessed.encode(), OURS.verifier)


def test_more_signatures_than_anybody_needs_are_refused():
    with pytest.raises(LedgerError):
        open_note(NOTE.encode() + "\u2014 witness AAAAAAAA\n".encode() * 100, OURS.verifier, alone=False)


def test_the_logs_key_is_made_once_for_its_owner_alone(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: open_key(tmp_path, LOG).verifier, range(8)))
    assert len(set(keys)) == 1
    assert stat.S_IMODE((tmp_path / LOG_KEY).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / LOG_KEY).parent.iterdir()] == ["log.pem"]


def test_processes_that_make_the_key_at_once_agree(tmp_path):
    script = f"""
from pathlib import Path
from governance.ledger.checkpoint import open_key
print(open_key(Path({str(tmp_path)!r}), {LOG!r}).verifier)
"""
    started = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({process.communicate()[0] for process in started}) == 1


def test_a_key_that_others_may_read_is_refused(tmp_path):
    open_key(tmp_path, LOG)
    (tmp_path / LOG_KEY).chmod(0o640)
    with pytest.raises(LedgerError, match="chmod 600"):
        open_key(tmp_path, LOG)


@pytest.mark.parametrize("content", [None, b"", b"no key"])
def test_a_key_that_is_lost_is_said_and_not_replaced(tmp_path, content):
    path = tmp_path / LOG_KEY
    path.parent.mkdir()
    if content is not None:
        path.touch(0o600)
        path.write_bytes(content)
    with pytest.raises(LedgerError, match="cannot be read"):
        open_key(tmp_path, LOG, make=False)
    assert path.exists() is (content is not None)


def test_a_key_of_another_kind_is_refused(tmp_path):
    path = tmp_path / LOG_KEY
    path.parent.mkdir()
    path.touch(0o600)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem)
    with pytest.raises(LedgerError, match="no Ed25519"):
        open_key(tmp_path, LOG)


def test_a_private_key_is_not_printed(tmp_path):
    key = open_key(tmp_path, LOG)
    assert str(key) == repr(key) == f"Key({LOG!r})"
