"""The Merkle tree of RFC 6962 (2.1; the checks are those of RFC 9162, 2.1.3.2 and 2.1.4.2), over SHA-256.

In: the hashes of leaves, or a proof. Out: a root, a proof, or whether one holds. Called by `checkpoint.py`. A
proof of inclusion says that a leaf is in a tree; one of consistency, that an older tree is the beginning of a
newer.
"""

import hashlib
from collections.abc import Sequence


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over the hashes of leaves. Of none, the hash of nothing."""
    if not leaves:
        return hashlib.sha256().digest()
    # From the bottom up: a node without a neighbour goes up as it is: the same tree as the RFC's recursion.
    level = list(leaves)
    while len(level) > 1:
        pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) - len(level) % 2 :]
    return level[0]


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that leaf `index` is among `leaves`: PATH(m, D[n]). Raises IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    path: list[bytes] = []
    level, place = list(leaves), index
    while len(level) > 1:
        neighbour = place ^ 1
        if neighbour < len(level):
            path.append(level[neighbour])
        pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level, place = pairs + level[len(level) - len(level) % 2 :], place // 2
    return path


def consistency(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """The proof that the first `old_size` of `leaves` were a tree: PROOF(m, D[n]). Raises IndexError."""
    if not 0 < old_size <= len(leaves):
        raise IndexError(f"the first {old_size} of {len(leaves)} leaves")
    return _subproof(leaves, old_size, True)


def _subproof(leaves: Sequence[bytes], old_size: int, is_whole: bool) -> list[bytes]:
    size = len(leaves)
    if old_size == size:
        return [] if is_whole else [root(leaves)]
    half = 1 << (size - 1).bit_length() - 1  # the largest power of two below the size
    if old_size <= half:
        return [*_subproof(leaves[:half], old_size, is_whole), root(leaves[half:])]
    return [*_subproof(leaves[half:], old_size - half, False), root(leaves[:half])]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether `path` proves that `leaf` is the hash of leaf `index` of the `size` under root `expected`."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for neighbour in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(neighbour, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, neighbour)
        place, last = place >> 1, last >> 1
    return last == 0 and found == expected


def is_consistent(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` proves that the tree of `old_size` is the beginning of the one of `new_size`."""
    if not 0 < old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    # An old tree that is a whole subtree of the new one is not in the proof: the checker has its root.
    nodes = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not nodes:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, node)
        place, last = place >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root
