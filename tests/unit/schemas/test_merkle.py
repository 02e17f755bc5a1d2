"""The Merkle tree against the vectors of Certificate Transparency's own tests, and against its definition."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.merkle import consistency, inclusion, is_consistent, is_included, leaf_hash, node_hash, root

# The eight leaves of google/certificate-transparency and trillian, the root over the first n, and proofs.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAF_0_OF_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
LEAF_5_OF_8 = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
FROM_1_TO_8 = LEAF_0_OF_8
FROM_2_TO_5 = [
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
]
HASHES = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]


def unhex(texts: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def defined(leaves: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962, 2.1 has it, over the hashes of leaves."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(defined(leaves[:half]), defined(leaves[half:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_certificate_transparency(size):
    assert root(HASHES[:size]).hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert root([]) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize(("index", "path"), [(0, LEAF_0_OF_8), (5, LEAF_5_OF_8)])
def test_the_proofs_of_inclusion_are_those_of_certificate_transparency(index, path):
    assert inclusion(HASHES, index) == unhex(path)
    assert is_included(HASHES[index], index, 8, unhex(path), bytes.fromhex(ROOTS[7]))


@pytest.mark.parametrize(("old", "new", "proof"), [(1, 8, FROM_1_TO_8), (2, 5, FROM_2_TO_5)])
def test_the_proofs_of_consistency_are_those_of_certificate_transparency(old, new, proof):
    assert consistency(HASHES[:new], old) == unhex(proof)
    roots = unhex(ROOTS)
    assert is_consistent(old, roots[old - 1], new, roots[new - 1], unhex(proof))


def some(size: int) -> list[bytes]:
    return [leaf_hash(str(i).encode()) for i in range(size)]


@pytest.mark.parametrize("size", range(1, 40))
def test_every_leaf_of_every_size_is_proven_and_only_where_it_stands(size):
    leaves = some(size)
    top = root(leaves)
    assert top == defined(leaves)
    for index in range(size):
        path = inclusion(leaves, index)
        assert is_included(leaves[index], index, size, path, top)
        assert [i for i in range(size) if is_included(leaves[index], i, size, path, top)] == [index]


@pytest.mark.parametrize("new", range(1, 40))
def test_every_tree_is_proven_to_begin_with_each_smaller_one(new):
    leaves = some(new)
    for old in range(1, new + 1):
        proof = consistency(leaves, old)
        assert is_consistent(old, root(leaves[:old]), new, root(leaves), proof)
        assert not is_consistent(old, root([*leaves[: old - 1], b"\0" * 32]), new, root(leaves), proof)


@given(st.integers(1, 60), st.data())
def test_a_proof_of_inclusion_that_is_changed_proves_nothing(size, data):
    leaves = some(size)
    index = data.draw(st.integers(0, size - 1))
    path, top = inclusion(leaves, index), root(leaves)
    assert not is_included(leaves[index], index, size, [*path, b"\0" * 32], top)
    assert not is_included(leaves[index], index, size, path, bytes(32))
    if path:
        cut = data.draw(st.integers(0, len(path) - 1))
        assert not is_included(leaves[index], index, size, path[:cut] + path[cut + 1 :], top)
        assert not is_included(leaves[index], index, size, [*path[:cut], bytes(32), *path[cut + 1 :]], top)


@given(st.integers(2, 60), st.data())
def test_a_proof_of_consistency_that_is_changed_proves_nothing(new, data):
    leaves = some(new)
    old = data.draw(st.integers(1, new - 1))
    proof, roots = consistency(leaves, old), (root(leaves[:old]), root(leaves))
    assert not is_consistent(old, roots[0], new, roots[1], [*proof, b"\0" * 32])
    assert not is_consistent(old, roots[0], new, roots[1], [])
    cut = data.draw(st.integers(0, len(proof) - 1))
    assert not is_consistent(old, roots[0], new, roots[1], proof[:cut] + proof[cut + 1 :])
    assert not is_consistent(old, roots[0], new, roots[1], [*proof[:cut], bytes(32), *proof[cut + 1 :]])


def test_what_lies_outside_of_a_tree_has_no_proof():
    with pytest.raises(IndexError, match="leaf 3 of 3"):
        inclusion(some(3), 3)
    with pytest.raises(IndexError, match="the first 0 of 3 leaves"):
        consistency(some(3), 0)
    assert not is_included(some(3)[0], 3, 3, [], root(some(3)))
    assert not is_consistent(0, root([]), 3, root(some(3)), [])
    assert not is_consistent(3, root(some(3)), 3, root(some(2)), [])
