"""Check unpacked evidence with nothing but Python 3.9 or later: `python3 -I verify.py [KEY [FOLDER]]`.

It proves that the files are those the holder of the log's key listed; that every record is what was recorded, at its place in a log whose
checkpoint that key signed; that every statement is signed by whom it names, in force then; that the release is whole and its author's. It
trusts KEY: the log's verification key or its SHA-256, had by another way. RFC 8032, FIPS 186-5 (P-256), RFC 9162, C2SP signed-note.
"""

import hashlib
import json
import sys
from base64 import b64decode, b64encode
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Iterator  # noqa: UP035 - for older Pythons than ours

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Q, N = 2**256 - 2**224 + 2**192 + 2**96 - 1, 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296, 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
BY_PEOPLE = ("promotion-approved", "promotion-rejected", "gate-waived", "release-rolled-back", "release-withdrawn",
             "release-retired", "person-erased", "outcomes-imported", "vault-imported", "decision-overridden")


class Wrong(Exception):  # noqa: N818 - what it is called in the answer
    """Something is not as it was recorded."""


def require(holds: object, what: str) -> None:
    if not holds:
        raise Wrong(what)


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def decoded(text: str) -> bytes:
    """Base64, in the one way to write it."""
    require(b64encode(b64decode(text)).decode() == text, "base64 that is not as it was written")
    return b64decode(text)


def times(scalar: int, point: Any, add: Callable[[Any, Any], Any], nothing: Any) -> Any:
    for bit in f"{scalar:b}":
        nothing = add(nothing, nothing)
        nothing = add(nothing, point) if bit == "1" else nothing
    return nothing


def recover(data: bytes) -> Any:
    """A point of Ed25519 from its 32 bytes, in extended coordinates."""
    y, sign = int.from_bytes(data, "little") & (2**255 - 1), data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    require(len(data) == 32 and y < P and x * x % P == square and (x or not sign), "a key or signature is no point of Ed25519")
    return (x, y, 1, x * y % P) if x % 2 == sign else (P - x, y, 1, -x * y % P)


def twisted(one: Any, two: Any) -> Any:
    a, b = (one[1] - one[0]) * (two[1] - two[0]), (one[1] + one[0]) * (two[1] + two[0])
    c, d = 2 * one[3] * two[3] * D, 2 * one[2] * two[2]
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P


def ed25519(key: bytes, signature: bytes, message: bytes) -> bool:
    s, k = int.from_bytes(signature[32:], "little"), int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left = times(s, recover((4 * pow(5, -1, P) % P).to_bytes(32, "little")), twisted, (0, 1, 1, 0))
    right = twisted(recover(signature[:32]), times(k, recover(key), twisted, (0, 1, 1, 0)))
    return len(signature) == 64 and s < L and all((left[axis] * right[2] - right[axis] * left[2]) % P == 0 for axis in (0, 1))


def added(one: Any, two: Any) -> Any:
    """The sum of two points of P-256; None is the point at infinity."""
    if one is None or two is None or (one[0] == two[0] and (one[1] + two[1]) % Q == 0):
        return one if two is None else two if one is None else None
    rise = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, Q) if one == two else (two[1] - one[1]) * pow(two[0] - one[0], -1, Q)
    x = (rise * rise - one[0] - two[0]) % Q
    return x, (rise * (one[0] - x) - one[1]) % Q


def p256(pem: str, signature: bytes, message: bytes) -> bool:
    """ECDSA with SHA-256. pem: the public key; signature: DER."""
    point = b64decode("".join(pem.strip().splitlines()[1:-1]))[-65:]
    key = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    require(point[0] == 4 and (key[1] ** 2 - key[0] ** 3 + 3 * key[0] - B) % Q == 0, "a person's key is no point of P-256")
    size, e = signature[3], int.from_bytes(sha(message), "big")
    r, s = int.from_bytes(signature[4 : 4 + size], "big"), int.from_bytes(signature[6 + size :], "big")
    require((signature[0], signature[1], signature[2]) == (48, len(signature) - 2, 2) and 0 < r < N and 0 < s < N, "a signature is not DER")
    found = added(times(e * pow(s, -1, N) % N, G, added, None), times(r * pow(s, -1, N) % N, key, added, None))
    return found is not None and found[0] % N == r


def note(raw: bytes, vkey: str, what: str) -> list[str]:
    """The text of a note that the log's key, and nobody else, signed."""
    name, number, encoded = vkey.split("+", 2)
    key = decoded(encoded)
    require(key[0] == 1 and sha(f"{name}\n".encode() + key)[:4].hex() == number, "the log's verification key contradicts itself")
    text, _, line = raw.decode().rpartition("\n\n")
    require(line.startswith(f"\u2014 {name} ") and line.count("\n") == 1 and line.endswith("\n"), f"{what}: not signed by {vkey}")
    signature = decoded(line.split(" ", 2)[2].rstrip("\n"))
    require(signature[:4].hex() == number and ed25519(key[1:], signature[4:], f"{text}\n".encode()), f"{what}: not signed by {vkey}")
    return text.split("\n")


def included(leaf: bytes, proof: dict[str, Any], size: int, root: bytes) -> bool:
    found, place, last = sha(b"\0" + leaf), proof["index"], size - 1
    for sibling in map(bytes.fromhex, proof["hashes"]):
        left = place % 2 or place == last
        found = sha(b"\1" + sibling + found) if left else sha(b"\1" + found + sibling)
        while left and place and not place % 2:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    return 0 <= proof["index"] < size and last == 0 and found == root


def digests(folder: Path, *besides: str) -> dict[str, str]:
    """Every file below a folder by its name, links as what they are not allowed to be."""
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}
    return {name: "a link" if path.is_symlink() else sha(path.read_bytes()).hex() for name, path in there.items() if name not in besides}


def entries(folder: Path, vkey: str) -> Iterator[tuple[str, str, str, Any]]:
    """Kind, id, time and content of every record, each proved to be in the log; None where the content was erased."""
    lines, proofs = (folder / "records.entries").read_bytes().decode().split("\n")[:-1], json.loads((folder / "proofs.json").read_bytes())
    require(len(lines) == len(proofs), "a record has no proof, or a proof no record")
    for line, proof in zip(lines, proofs):  # noqa: B905 - for older Pythons than ours
        kind, name, at, salt, rest = line.split("\t", 4)
        sealed = rest if salt == "-" else sha(bytes.fromhex(salt) + rest.encode()).hex()
        origin, size, root = note((folder / "checkpoints" / proof["period"]).read_bytes(), vkey, f"checkpoint {proof['period']}")[:3]
        require(included(f"{kind}\t{name}\t{at}\t{sealed}".encode(), proof, int(size), b64decode(root)), f"{name}: not in the log {origin}")
        yield kind, name, at, None if salt == "-" else json.loads(rest.split("\t", 2)[2])


def in_force(people: list[dict[str, Any]], name: str, at: str) -> dict[str, Any]:
    moment, known = datetime.fromisoformat(at), [one for one in people if one["name"] == name]
    found = [one for one in known if datetime.fromisoformat(one["since"]) <= moment < datetime.fromisoformat(one["until"])]
    require(len(found) == 1, f"{name} was nobody who could sign at {at}")
    return found[0]


def signed(kind: str, name: str, at: str, event: dict[str, Any], people: list[dict[str, Any]]) -> bool:
    """Whether a person signed an event; what a process says needs nobody."""
    by = dict(event["by"])
    if by["how"] in ("process", "mlflow"):
        require(kind not in BY_PEOPLE and "signature" not in by, f"{name}: {kind} needs a person")
        return False
    signature, signer, _ = decoded(by.pop("signature", "")), in_force(people, by["key"], at), in_force(people, by["name"], at)
    may = by["key"] == by["name"] if by["how"] == "key" else "desk" in signer["roles"]
    require(may, f"{name}: {by['key']} cannot speak for {by['name']}")
    said = json.dumps({**event, "kind": kind, "by": by}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    require(p256(signer["key"], signature, said.encode()), f"{name}: the signature is not {by['key']}'s")
    return True


def release(folder: Path, wanted: str, people: list[dict[str, Any]], recorded: list[Any]) -> str:
    there = digests(folder / "release")
    require(there == {**json.loads((folder / "release/release.json").read_bytes())["files"], "release.json": wanted}, "another release")
    made = [(event["author"], at) for kind, _, at, event in recorded
            if kind == "release-registered" and event["release_id"] == wanted and event["author"]]
    if not made or not (folder / "release.sig").exists():
        return f"registered by {made[-1][0]}, whose signature is not here" if made else "unsigned"
    envelope, author = json.loads((folder / "release.sig").read_bytes())["dsseEnvelope"], in_force(people, *made[-1])
    payload, kind = b64decode(envelope["payload"]), envelope["payloadType"].encode()
    said = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    require(p256(author["key"], b64decode(envelope["signatures"][0]["sig"]), said), f"the release is not signed by {author['name']}")
    require({one["name"]: one["digest"] for one in json.loads(payload)["predicate"]["resources"]} == there, "the author signed other files")
    return f"signed by {author['name']}"


def check(folder: Path, wanted: str = "") -> Iterator[str]:
    """Prove everything, a line for each thing proved; raises Wrong, or what a damaged file makes of itself."""
    vkey = (folder / "log.vkey").read_text("utf-8").strip()
    fingerprint = sha(b64decode(vkey.split("+", 2)[2])[1:]).hex()
    require(wanted in ("", vkey, fingerprint), f"the log's key is {vkey} ({fingerprint}), not the one you trust")
    title, *listed = note((folder / "MANIFEST").read_bytes(), vkey, "MANIFEST")
    known, there = {line[66:]: line[:64] for line in listed}, digests(folder, "MANIFEST")
    differ = sorted({name for name, _ in known.items() ^ there.items()})
    require(title == "tallystick evidence 1" and not differ, f"missing, added or changed: {differ}")
    yield f"{len(known)} files are those that were listed and signed"
    about, people = (json.loads((folder / name).read_bytes()) for name in ("evidence.json", "people.json"))
    recorded = list(entries(folder, vkey))
    require(any(name == about["entry"] for _, name, _, _ in recorded), "the record this is about is not here")
    yield f"{len(recorded)} records are in the log as recorded; the content of {sum(one[3] is None for one in recorded)} was erased since"
    many = sum(signed(*one, people) for one in recorded if one[3] and "by" in one[3])
    yield f"{many} statements are signed by those they name; keys here are of {', '.join(sorted({one['name'] for one in people}))}"
    made_with = [event["release_id"] for kind, name, _, event in recorded if kind == "decision" and event and name == about["entry"]]
    require(made_with in ([], [about["release_id"]]), "the decision was made with another release")
    if about["release_id"]:
        yield f"release {about['release_id']} is whole, {release(folder, about['release_id'], people, recorded)}"
    yield f"trusted key: {vkey}\n    SHA-256 {fingerprint}" + ("" if wanted else "\n    NOT COMPARED with one you have by another way")


if __name__ == "__main__":
    try:
        for told in check(Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).resolve().parent, *sys.argv[1:2]):
            print("ok ", told)  # noqa: T201
    except Exception as error:  # noqa: BLE001 - whatever a damaged file makes of itself
        sys.exit(f"WRONG  {error if isinstance(error, Wrong) else f'{type(error).__name__}: {error}'}")
