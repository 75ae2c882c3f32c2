"""Guarantees of the script in an archive: it needs Python alone, clean evidence passes, every change is found, each proof by itself."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from governance.evidence import archive, verify

MUTATIONS = 200


def proved(folder: Path, *key: str) -> list[str]:
    return list(verify.check(folder, *key))


def found(folder: Path, *key: str) -> bool:
    """Whether something was found to be wrong."""
    try:
        proved(folder, *key)
    except Exception:  # noqa: BLE001 - as the script itself takes it
        return True
    return False


def run(folder: Path, *key: str) -> subprocess.CompletedProcess[str]:
    """The script as somebody runs it who has Python and nothing else."""
    return subprocess.run([sys.executable, "-I", "-S", str(folder / "verify.py"), *key], capture_output=True, text=True, check=False,
                          env={}, cwd="/")


def sign_again(folder: Path, key) -> None:
    """List and sign what is there now: what somebody could do who has the log's key."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    del files["MANIFEST"]
    (folder / "MANIFEST").write_text(key.sign(archive.manifest(files)))


@pytest.mark.parametrize("about", ["decision", "release"])
def test_clean_evidence_passes_with_python_alone_and_names_the_key_it_trusted(about, unpack, key):
    folder = unpack(about)
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT COMPARED" in done.stdout
    assert "whole, signed by ada" in done.stdout
    trusted = str(key.verifier)
    fingerprint = hashlib.sha256(key.verifier.public).hexdigest()
    for said in (trusted, fingerprint):
        assert said in done.stdout
        assert run(folder, said).returncode == 0
    assert run(folder, "0" * 64).returncode == 1


def test_the_script_is_short_and_imports_the_standard_library_alone():
    text = Path(verify.__file__).read_text()
    assert len(text.splitlines()) <= 200
    imported = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= set(sys.stdlib_module_names)


def mutate(folder: Path, chance: random.Random) -> None:
    """One change: a byte of a file, a file cut, doubled, removed, added, renamed, or exchanged for another."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    one = chance.choice(files)
    said, kind = one.read_bytes(), chance.choice(["flip"] * 5 + ["cut", "add", "remove", "new", "rename", "exchange", "line"])
    if kind == "flip":
        place = chance.randrange(len(said))
        one.write_bytes(said[:place] + bytes([said[place] ^ (1 << chance.randrange(8))]) + said[place + 1 :])
    elif kind == "cut":
        one.write_bytes(said[: chance.randrange(len(said))])
    elif kind == "add":
        one.write_bytes(said + chance.choice([b"\n", b" ", said]))
    elif kind == "remove":
        one.unlink()
    elif kind == "new":
        (one.parent / chance.choice([".gitignore", "more.json", "release.sig2"])).write_bytes(b"")
    elif kind == "rename":
        one.rename(one.with_name(f"{one.name}x"))
    elif kind == "exchange":
        another = chance.choice([each for each in files if each.read_bytes() != said])
        one.write_bytes(another.read_bytes())
    else:
        records = (folder / "records.entries").read_bytes().splitlines(keepends=True)
        chance.shuffle(records)
        (folder / "records.entries").write_bytes(b"".join(records[1:]))


def test_200_random_changes_are_all_found(packed, tmp_path):
    import io
    import shutil
    import zipfile

    for number in range(MUTATIONS):
        folder = tmp_path / "mutated"
        zipfile.ZipFile(io.BytesIO(packed["decision" if number % 2 else "release"])).extractall(folder)
        mutate(folder, random.Random(number))  # noqa: S311 - which change, no secret
        assert found(folder), f"change {number} was not found"
        shutil.rmtree(folder)


def test_a_change_ends_the_script_with_one_line_that_names_it(unpack):
    folder = unpack("decision")
    page = folder / "index.html"
    page.write_text(page.read_text().replace("probability", "certainty"))
    done = run(folder)
    assert done.returncode == 1
    assert done.stderr.strip() == "WRONG  missing, added or changed: ['index.html']"


def test_a_link_is_not_a_file(unpack):
    folder = unpack("decision")
    (folder / "evidence.json").rename(folder.parent / "elsewhere.json")
    (folder / "evidence.json").symlink_to(folder.parent / "elsewhere.json")
    assert found(folder)


Change = Callable[[Path], None]


def replaced(name: str, old: bytes, new: bytes) -> Change:
    def change(folder: Path) -> None:
        path = folder / name
        assert old in path.read_bytes()
        path.write_bytes(path.read_bytes().replace(old, new, 1))

    return change


def of_json(name: str, edit: Callable) -> Change:
    def change(folder: Path) -> None:
        said = json.loads((folder / name).read_text())
        edit(said)
        (folder / name).write_text(json.dumps(said))

    return change


def another_key(people: list) -> None:
    fresh = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = fresh.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    next(one for one in people if one["name"] == "anna")["key"] = pem


def ended(people: list) -> None:
    next(one for one in people if one["name"] == "olga")["until"] = "2024-01-15T00:00:00+00:00"


@pytest.mark.parametrize(("about", "change", "told"), [
    ("decision", replaced("records.entries", b'"outcome":"', b'"outcome": "'), "not in the log"),
    ("decision", replaced("records.entries", b"promotion-approved\t", b"promotion-rejected\t"), "not in the log"),
    ("release", of_json("proofs.json", lambda proofs: proofs[0].update(index=proofs[0]["index"] + 1)), "not in the log"),
    ("release", of_json("proofs.json", lambda proofs: proofs.pop()), "a record has no proof"),
    ("decision", of_json("people.json", another_key), "the signature is not anna's"),
    ("decision", of_json("people.json", ended), "olga was nobody who could sign"),
    ("decision", replaced("release/policy.json", b'"approve_below": 0', b'"approve_below": 1'), "another release"),
    ("decision", of_json("evidence.json", lambda about: about.update(entry="nobody")), "the record this is about is not here"),
    ("decision", lambda folder: (folder / "release" / "more").write_bytes(b""), "another release"),
    ("release", of_json("release.sig", lambda bundle: bundle["dsseEnvelope"].update(payload="e30=")), "not signed by ada"),
])
def test_whoever_holds_the_logs_key_alone_cannot_change_what_others_signed_or_what_was_checkpointed(unpack, key, about, change, told):
    folder = unpack(about)
    change(folder)
    sign_again(folder, key)
    with pytest.raises(verify.Wrong, match=told):
        proved(folder)


def test_another_key_may_sign_everything_and_is_found_by_comparing(unpack, key):
    folder = unpack("decision")
    assert found(folder, "tallystick.local/other+00000000+AAAA")
    assert not found(folder, str(key.verifier))


def test_signatures_are_judged_as_a_library_judges_them():
    chance = random.Random(5)  # noqa: S311 - messages, no secret
    for length in (0, 1, 32, 200):
        message = chance.randbytes(length)
        log, person = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
        public, signature = log.public_key().public_bytes_raw(), log.sign(message)
        assert verify.ed25519(public, signature, message)
        assert not verify.ed25519(public, signature, message + b"x")
        pem = person.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        signed = person.sign(message, ec.ECDSA(hashes.SHA256()))
        assert verify.p256(pem, signed, message)
        assert not verify.p256(pem, signed, message + b"x")


def test_rfc_8032_second_vector_holds():
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
    assert verify.ed25519(public, signature, b"\x72")
    raised = int.from_bytes(signature[32:], "little") + verify.L
    assert not verify.ed25519(public, signature[:32] + raised.to_bytes(32, "little"), b"\x72")
