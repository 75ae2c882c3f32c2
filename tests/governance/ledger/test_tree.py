"""The tree is that of RFC 6962: published vectors, and a naive reading of the text for every size; proofs show that and nothing else."""

from __future__ import annotations

import random
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.ledger import tree
from governance.ledger.tree import TILE, Growth

# The tree heads of RFC 6962's reference implementation (google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc).
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"]
PROOFS = [  # index, size, hashes
    (0, 1, []),
    (0, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"]),
    (5, 8, ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (1, 5, ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"])]
GROWTHS = [  # old, new, hashes
    (1, 1, []),
    (1, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"]),
    (6, 8, ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
    (2, 5, ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"])]
sizes = st.integers(1, 600)
few = settings(max_examples=30)


def naive(leaves: list[bytes]) -> bytes:
    """Section 2.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = max(2**power for power in range(20) if 2**power < len(leaves))
    return sha256(b"\x01" + naive(leaves[:k]) + naive(leaves[k:])).digest()


def some(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


def over(leaves: list[bytes]) -> tree.Subtree:
    return lambda start, end: naive(leaves[start:end])


def hashes(leaves: list[bytes]) -> list[bytes]:
    return [tree.leaf_hash(leaf) for leaf in leaves]


def test_the_empty_tree_has_the_published_root():
    assert tree.root([]).hex() == Growth().root.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_roots(size):
    assert tree.root(hashes(LEAVES[:size])).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size", "expected"), PROOFS)
def test_the_published_proofs_of_inclusion(index, size, expected):
    proof = tree.inclusion(index, size, over(LEAVES))
    assert [each.hex() for each in proof] == expected
    assert tree.includes(proof, tree.leaf_hash(LEAVES[index]), index, size, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new", "expected"), GROWTHS)
def test_the_published_proofs_of_consistency(old, new, expected):
    proof = tree.consistency(old, new, over(LEAVES))
    assert [each.hex() for each in proof] == expected
    assert tree.consistent(proof, (old, bytes.fromhex(ROOTS[old - 1])), (new, bytes.fromhex(ROOTS[new - 1])))


@few
@given(st.lists(sizes, max_size=6))
def test_a_tree_grown_in_any_steps_is_the_naive_one(steps):
    growth, total = Growth(), 0
    for step in steps:
        growth.extend(hashes([str(number).encode() for number in range(total, total + step)]))
        total += step
        assert (growth.size, growth.root) == (total, naive(some(total)))
    assert len(growth.tiles) == total // TILE + total // TILE**2


def test_growing_goes_on_from_tiles_at_every_level_as_if_it_had_never_stopped():
    leaves = hashes(some(3 * TILE**2 + 3 * TILE + 7))
    whole = Growth()
    for start, end in pairwise([0, 1, TILE, TILE**2 - 1, TILE**2, 2 * TILE**2 + 5 * TILE + 9, len(leaves)]):
        whole.extend(leaves[start:end])
        full = end // TILE
        kept = {(tile.level, tile.number): tile for tile in whole.tiles}

        def partial(level, full=full, kept=kept):
            first = full >> 8 * level << 8
            return [kept[level - 1, number].root for number in range(first, full >> 8 * (level - 1))]

        again = Growth(full, partial)
        again.extend(leaves[full * TILE : end])
        assert (again.size, again.root) == (end, whole.root)


@few
@given(sizes, st.data())
def test_a_proof_of_inclusion_shows_its_leaf_at_its_place_and_nothing_else(size, data):
    index = data.draw(st.integers(0, size - 1))
    leaves = some(size)
    proof, expected, found = tree.inclusion(index, size, over(leaves)), naive(leaves), tree.leaf_hash(leaves[index])
    assert tree.includes(proof, found, index, size, expected)
    other = data.draw(st.integers(-1, size + 1).filter(lambda place: place != index))
    assert not tree.includes(proof, found, other, size, expected)
    assert not tree.includes(proof, tree.leaf_hash(b"other"), index, size, expected)
    assert not tree.includes([*proof, found], found, index, size, expected)
    assert not tree.includes(proof[:-1], found, index, size, expected) or not proof
    for place in range(len(proof)):
        assert not tree.includes([*proof[:place], found[::-1], *proof[place + 1 :]], found, index, size, expected)


@few
@given(sizes, sizes)
def test_a_proof_of_consistency_shows_that_one_tree_begins_with_the_other_and_nothing_else(one, two):
    old, new = sorted((one, two))
    leaves = some(new)
    before, after = (old, naive(leaves[:old])), (new, naive(leaves))
    proof = tree.consistency(old, new, over(leaves))
    assert tree.consistent(proof, before, after)
    other = naive([*leaves[: old - 1], b"other"])
    assert not tree.consistent(proof, (old, other), after)
    assert not tree.consistent([*proof, other], before, after)
    assert not tree.consistent(proof[:-1], before, after) or not proof
    for place in range(len(proof)):
        assert not tree.consistent([*proof[:place], other, *proof[place + 1 :]], before, after)
    if old < new:
        assert not tree.consistent(proof, after, before)
        assert not tree.consistent([], before, after)


def test_every_tree_begins_with_the_empty_one():
    assert tree.consistency(0, 5, over(some(5))) == []
    assert tree.consistent([], (0, tree.EMPTY), (5, naive(some(5))))
    assert not tree.consistent([], (0, naive(some(1))), (5, naive(some(5))))


@pytest.mark.parametrize("ask", [lambda: tree.inclusion(5, 5, over([])), lambda: tree.inclusion(-1, 5, over([])),
                                 lambda: tree.consistency(6, 5, over([]))])
def test_a_proof_of_what_is_not_there_is_not_made(ask):
    with pytest.raises(ValueError, match="of"):
        ask()


def test_random_bytes_are_no_proof():
    chance, expected = random.Random(1), naive(some(100))  # noqa: S311 - a test that can be repeated
    for _ in range(200):
        proof = [chance.randbytes(32) for _ in range(chance.randrange(9))]
        assert not tree.includes(proof, chance.randbytes(32), chance.randrange(100), 100, expected)
        assert not tree.consistent(proof, (50, chance.randbytes(32)), (100, expected))
