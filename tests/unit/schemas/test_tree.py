"""A path made of one block and the blocks' roots is the path of RFC 6962, whatever the number of leaves."""

import hashlib

import pytest

from schemas.merkle import inclusion, is_included, leaf_hash, root
from schemas.tree import BLOCK, block_roots, path_to, split

LEAVES = [leaf_hash(hashlib.sha256(b"%d" % n).digest()) for n in range(4 * BLOCK + 3)]


@pytest.mark.parametrize(
    "count", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 77, 3 * BLOCK, 4 * BLOCK + 3]
)
def test_a_path_is_the_whole_trees(count: int):
    leaves = LEAVES[:count]
    blocks = block_roots(leaves)
    assert root(blocks) == root(leaves)
    for index in {0, 1, BLOCK - 1, BLOCK, BLOCK + 5, count // 2, count - 1}:
        if index < count:
            first = index // BLOCK * BLOCK
            path = path_to(index, leaves[first : first + BLOCK], blocks)
            assert path == inclusion(leaves, index)
            assert is_included(leaves[index], index, count, path, root(leaves))


def test_what_was_kept_one_behind_the_other_is_split_again():
    assert split(b"".join(LEAVES[:5])) == LEAVES[:5]
    assert split(b"") == []
