"""What crosses from training to serving: one directory, its manifest, its digests. Written once, verified on every use.

Refuses: a changed byte, a missing or an added file (dot files too), a link, a foreign interface, any pickle.
Knows nothing of the models inside; `serving.scoring` reads those.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np

from feature_repo.errors import ReleaseError
from feature_repo.interface import interface_hash
from feature_repo.portfolio import Portfolio

MANIFEST = "release.json"
FORMAT = 1


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """release.json: what the release is of, and the SHA-256 of every other file. Its own SHA-256 is the release id.

    No clock, run id, signature or model version is in it, so equal data, params and code give an equal id.
    """

    format: int
    portfolio: str
    interface_hash: str
    model: str
    validation: dict[str, Any]
    lineage: dict[str, str]
    files: dict[str, str]


@dataclass(frozen=True)
class Release:
    """A verified release directory."""

    path: Path
    id: str
    manifest: Manifest

    def read(self, name: str, kind: Any = dict) -> Any:
        """A JSON file of the release, converted strictly to `kind`."""
        return msgspec.json.decode((self.path / name).read_bytes(), type=kind)

    def arrays(self, name: str) -> dict[str, np.ndarray[Any, Any]]:
        """An .npz file of the release. Raises ReleaseError where anything in it is pickled: NumPy reads none of that."""
        try:
            with np.load(self.path / name, allow_pickle=False) as archive:
                return {key: archive[key] for key in archive.files}
        except ValueError as error:
            raise ReleaseError(f"{name} of release {self.id[:12]} holds what is no plain array; evaluate again ({error})") from None


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write an .npz file whose bytes depend on the arrays alone. NumPy's own has a header that Python's patch versions write otherwise."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            raw = io.BytesIO()
            np.lib.format.write_array(raw, np.asanyarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), raw.getvalue())


def seal(path: Path, portfolio: Portfolio, *, model: str, validation: dict[str, Any], lineage: dict[str, str]) -> Release:
    """Write release.json over the files already in `path` and return the verified release."""
    manifest = Manifest(
        format=FORMAT, portfolio=portfolio.name, interface_hash=interface_hash(portfolio), model=model,
        validation=validation, lineage=lineage, files=digests(path),
    )
    (path / MANIFEST).write_bytes(dump(manifest))
    return verify(path)


def verify(path: Path, expected_id: str | None = None) -> Release:
    """Check every byte of a release directory against its manifest, and its id where one is expected.

    Raises ReleaseError naming what differs. Nothing of the release is interpreted before this has passed.
    """
    if not (path / MANIFEST).is_file():
        raise ReleaseError(f"{path.name}: no {MANIFEST}; this is not a release")
    raw = (path / MANIFEST).read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if expected_id not in (None, found):
        raise ReleaseError(f"release {expected_id} was expected, this one is {found}; fetch it again")
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.MsgspecError, ValueError) as error:  # ValueError: bytes that are no UTF-8
        raise ReleaseError(f"{MANIFEST} cannot be read: {error}") from None
    if manifest.format != FORMAT:
        raise ReleaseError(f"release format {manifest.format} is not known; this version reads {FORMAT}")
    _compare(manifest.files, digests(path))
    return Release(path, found, manifest)


def require_interface(release: Release, portfolio: Portfolio) -> None:
    """Raise ReleaseError unless this code provides the interface the release was made for."""
    if release.manifest.portfolio != portfolio.name:
        raise ReleaseError(f"the release is of portfolio {release.manifest.portfolio}, this service scores {portfolio.name}")
    if release.manifest.interface_hash != interface_hash(portfolio):
        raise ReleaseError(f"release {release.id[:12]} was made for another interface of {portfolio.name}: its request or stored columns, "
                           "derived features or rules differ from this code. Deploy the code it was trained with, or train again")


def place(source: Path, releases: Path, expected_id: str | None = None) -> Release:
    """Copy a release to `releases/<id>`, verified there, durable and never half visible.

    A copy already there is kept where it verifies; one that was damaged is set aside as `.damaged-*` for whoever asks what happened.
    """
    release = verify(source, expected_id)
    target = releases / release.id
    with suppress(ReleaseError, OSError):
        return verify(target, release.id)
    releases.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=releases, prefix=f".{release.id[:12]}.") as draft:
        copy = shutil.copytree(source, Path(draft) / release.id)
        verify(copy, release.id)
        for written in (*copy.rglob("*"), copy):
            sync(written)
        with suppress(FileNotFoundError):  # nothing was there, or another process set it aside first
            target.rename(releases / f".damaged-{release.id[:12]}-{time.time_ns()}")
        try:
            copy.rename(target)
        except OSError:
            if not target.exists():  # else another process placed the same release first
                raise
    sync(releases)
    return verify(target, release.id)


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def point(pointer: Path, release: Release, **attributes: str) -> None:
    """Make `pointer` name the release, with attributes such as its registry version, in one atomic step."""
    draft = pointer.with_suffix(f".{os.getpid()}")
    with draft.open("wb") as file:
        file.write(msgspec.json.encode({"release_id": release.id, **attributes}))
        file.flush()
        os.fsync(file.fileno())  # or a power cut could leave an empty pointer under the new name
    draft.replace(pointer)


def digests(path: Path) -> dict[str, str]:
    """Relative file name -> SHA-256 (hex) of every file below `path` but the manifest.

    Links, special files and empty folders are refused.
    """
    if path.is_symlink():
        raise ReleaseError(f"{path.name} is a link; a release is a folder of its own")
    found = {}
    for entry in sorted(path.rglob("*")):
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            raise ReleaseError(f"{entry.relative_to(path)} is neither a file nor a folder; a release holds nothing else")
        if entry.is_dir() and not any(entry.iterdir()):
            raise ReleaseError(f"{entry.relative_to(path)} is an empty folder; a release holds files")
        if entry.is_file() and entry != path / MANIFEST:
            found[entry.relative_to(path).as_posix()] = hashlib.sha256(entry.read_bytes()).hexdigest()
    return found


def dump(value: Any) -> bytes:
    """JSON with sorted keys and a final newline: equal values give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1) + b"\n"


def _compare(declared: dict[str, str], found: dict[str, str]) -> None:
    changed = sorted(name for name in declared.keys() & found.keys() if declared[name] != found[name])
    missing, added = declared.keys() - found.keys(), found.keys() - declared.keys()
    for what, names in (("missing", missing), ("not declared", added), ("changed", changed)):
        if names:
            raise ReleaseError(f"files {what}: {sorted(names)}; the release does not verify, fetch it again")
