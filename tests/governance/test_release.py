"""A release verifies only as it was sealed: any changed, missing or added byte, any link, any other interface is refused."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

from feature_repo.errors import ReleaseError
from feature_repo.portfolios import load
from governance.release import MANIFEST, dump, place, point, require_interface, seal, verify, write_arrays

PORTFOLIO = load("card_default")


@pytest.fixture
def sealed(tmp_path):
    folder = tmp_path / "release"
    (folder / "inner").mkdir(parents=True)
    (folder / "policy.json").write_bytes(b'{"approve_below": 0.1}')
    (folder / "inner" / "table.csv").write_bytes(b"a,b\n1,2\n")
    np.savez(folder / "kernel.npz", allow_pickle=False, values=np.arange(5))
    return seal(folder, PORTFOLIO, model="trees", validation={"success": True}, lineage={})


def test_what_was_sealed_verifies_under_its_id(sealed):
    assert verify(sealed.path, sealed.id).manifest == sealed.manifest


def test_equal_files_have_an_equal_id_wherever_and_whenever(sealed, tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(sealed.path, copy)
    (copy / MANIFEST).unlink()
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))

    assert seal(copy, PORTFOLIO, model="trees", validation={"success": True}, lineage={}).id == sealed.id


@pytest.mark.parametrize("name", ["policy.json", "inner/table.csv", "kernel.npz", MANIFEST])
def test_a_changed_byte_is_refused(sealed, name):
    raw = bytearray((sealed.path / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (sealed.path / name).write_bytes(raw)

    with pytest.raises(ReleaseError):
        verify(sealed.path, sealed.id)


@pytest.mark.parametrize("name", ["policy.json", "inner/table.csv", "kernel.npz", MANIFEST])
def test_a_missing_file_is_refused(sealed, name):
    (sealed.path / name).unlink()

    with pytest.raises(ReleaseError):
        verify(sealed.path)


@pytest.mark.parametrize("name", [".gitattributes", ".hidden/file", "model.pkl", "inner/more.csv", "__pycache__/x.pyc"])
def test_an_added_file_is_refused(sealed, name):
    (sealed.path / name).parent.mkdir(exist_ok=True)
    (sealed.path / name).write_bytes(b"")

    with pytest.raises(ReleaseError, match="not declared"):
        verify(sealed.path)


def test_a_link_is_refused_even_to_the_same_bytes(sealed, tmp_path):
    moved = (sealed.path / "policy.json").rename(tmp_path / "policy.json")
    (sealed.path / "policy.json").symlink_to(moved)

    with pytest.raises(ReleaseError, match="neither a file nor a folder"):
        verify(sealed.path)


def test_a_link_in_place_of_a_folder_or_of_the_manifest_is_refused(sealed, tmp_path):
    shutil.move(sealed.path / "inner", tmp_path / "inner")
    (sealed.path / "inner").symlink_to(tmp_path / "inner")
    with pytest.raises(ReleaseError):
        verify(sealed.path)

    (sealed.path / "inner").unlink()
    shutil.move(tmp_path / "inner", sealed.path / "inner")
    verify(sealed.path)
    (sealed.path / MANIFEST).rename(tmp_path / MANIFEST)
    (sealed.path / MANIFEST).symlink_to(tmp_path / MANIFEST)
    with pytest.raises(ReleaseError):
        verify(sealed.path)


def test_a_pipe_is_refused_without_being_read(sealed):
    os.mkfifo(sealed.path / "pipe")

    with pytest.raises(ReleaseError):
        verify(sealed.path)


def test_another_id_than_expected_is_refused(sealed):
    with pytest.raises(ReleaseError, match="was expected"):
        verify(sealed.path, "0" * 64)


@pytest.mark.parametrize("change", [{"format": 99}, {"surprise": 1}, {"files": None}])
def test_a_manifest_of_another_kind_is_refused(sealed, change):
    manifest = {**json.loads((sealed.path / MANIFEST).read_bytes()), **change}
    (sealed.path / MANIFEST).write_bytes(dump(manifest))

    with pytest.raises(ReleaseError):
        verify(sealed.path)


def test_a_foreign_interface_or_portfolio_is_refused(sealed, mill):
    import msgspec

    with pytest.raises(ReleaseError, match=mill.name):
        require_interface(sealed, mill)
    foreign = type(sealed)(sealed.path, sealed.id, msgspec.structs.replace(sealed.manifest, interface_hash="0" * 64))
    with pytest.raises(ReleaseError, match="another interface"):
        require_interface(foreign, PORTFOLIO)
    require_interface(sealed, PORTFOLIO)


def test_arrays_have_the_same_bytes_whichever_python_wrote_them(tmp_path):
    """Zip headers that NumPy asks for differ between patch versions of Python, and with them the release id would."""
    arrays = {"values": np.arange(4.0), "flags": np.array([1, 0], dtype=np.uint8)}
    write_arrays(tmp_path / "a.npz", arrays)
    raw = (tmp_path / "a.npz").read_bytes()

    assert raw[4] == 20, "the zip version needed"
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert all(np.array_equal(found[name], array) for name, array in arrays.items())
    with pytest.raises(ValueError, match="allow_pickle"):
        write_arrays(tmp_path / "b.npz", {"no": np.array([{}], dtype=object)})


def test_a_pickle_in_an_archive_is_never_loaded(tmp_path):
    np.savez(tmp_path / "kernel.npz", values=np.array([{"a": 1}], dtype=object))
    release = seal(tmp_path, PORTFOLIO, model="trees", validation={}, lineage={})

    with pytest.raises(ReleaseError, match="allow_pickle"):
        release.arrays("kernel.npz")


def test_placing_copies_under_the_id_and_leaves_nothing_else(sealed, tmp_path):
    releases = tmp_path / "var" / "releases"

    placed = place(sealed.path, releases, sealed.id)

    assert placed.path == releases / sealed.id
    assert [entry.name for entry in releases.iterdir()] == [sealed.id]
    assert place(sealed.path, releases).id == placed.id, "placing again is harmless"


@pytest.mark.parametrize("damage", [lambda path: (path / "policy.json").write_bytes(b"{}"), shutil.rmtree,
                                    lambda path: (path / MANIFEST).unlink()])
def test_a_damaged_copy_is_set_aside_and_a_good_one_takes_its_place(sealed, tmp_path, damage):
    releases = tmp_path / "releases"
    placed = place(sealed.path, releases)
    damage(placed.path)
    damaged = placed.path.exists()

    assert verify(place(sealed.path, releases).path, sealed.id) == placed
    aside = [entry for entry in releases.iterdir() if entry.name != sealed.id]
    assert [entry.name.startswith(".damaged-") for entry in aside] == [True] * damaged


def test_a_file_or_link_where_the_copy_should_be_is_set_aside(sealed, tmp_path):
    releases = tmp_path / "releases"
    releases.mkdir()
    for make in (lambda path: path.write_bytes(b"x"), lambda path: path.symlink_to(tmp_path / "nowhere")):
        make(releases / sealed.id)
        place(sealed.path, releases)
        shutil.rmtree(releases / sealed.id)


def test_an_altered_source_is_never_placed(sealed, tmp_path):
    (sealed.path / "policy.json").write_bytes(b"{}")

    with pytest.raises(ReleaseError):
        place(sealed.path, tmp_path / "releases", sealed.id)
    assert not (tmp_path / "releases").exists()


def test_the_pointer_names_the_release_and_its_attributes_and_leaves_no_draft(sealed, tmp_path):
    point(tmp_path / "champion.json", sealed, version="3")
    point(tmp_path / "champion.json", sealed, version="4")

    assert json.loads((tmp_path / "champion.json").read_bytes()) == {"release_id": sealed.id, "version": "4"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["champion.json", "release"]


def test_equal_values_give_equal_bytes():
    assert dump({"b": 1, "a": [0.1, None]}) == dump({"a": [0.1, None], "b": 1})
