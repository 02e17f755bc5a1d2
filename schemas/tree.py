"""A tree over heads as it is kept, so that a proof needs a block of its leaves and not all of them.

In: the hashes of leaves. Out: what is kept of them, or a path. Called by `processors/checkpointing.py`, which keeps
it, and by whoever exports a logbook. Pure.

The roots over 256 leaves each are nodes of the tree of RFC 6962, the last one too, which may be over fewer: a path
is one inside of a block, and then one over the blocks.
"""

from collections.abc import Sequence

from schemas.merkle import inclusion, root

BLOCK = 256
HASH_BYTES = 32


def block_roots(leaves: Sequence[bytes]) -> list[bytes]:
    return [root(leaves[first : first + BLOCK]) for first in range(0, len(leaves), BLOCK)]


def path_to(index: int, block: Sequence[bytes], blocks: Sequence[bytes]) -> list[bytes]:
    """The proof of inclusion of leaf `index`, with the leaves of its block and the roots of all blocks."""
    return inclusion(block, index % BLOCK) + inclusion(blocks, index // BLOCK)


def split(hashes: bytes) -> list[bytes]:
    """Hashes that were kept one behind the other."""
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
