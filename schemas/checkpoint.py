"""Checkpoints: what every logbook held at one moment, in one line that can be kept far from the database.

In: the heads of all logbooks, or a checkpoint from anywhere. Out: a signed checkpoint, a proof that leads to it, or
what is wrong with one. Called by whoever publishes checkpoints, by `logbook_file.py` and by `logbook_check.py`.

Two trees. The heads of all logbooks, one leaf a robot in the order of their codes, make `heads_root`: who is
shown one leaf of it is shown the robot's latest head, and a tail that was cut off cannot be hidden behind an
older one. The heads' roots themselves, one leaf a checkpoint, make the log whose `root` and `size` a checkpoint
has: it only grows, so a platform that changed the past would need another log, and whoever kept one old line
would notice.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.canonical import canonical, parse
from schemas.errors import ContractError, RejectError
from schemas.frame import MAX_INTEGER
from schemas.logbook import Count, Time
from schemas.merkle import consistency, inclusion, is_consistent, is_included, leaf_hash, root
from schemas.signing import Hash, PublicKey, Purpose, Signature, is_signed, public_key, sign

_Positive = Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)]
_Proof = Annotated[tuple[Hash, ...], msgspec.Meta(max_length=64)]

CHECKPOINT_LOCK = 7_465_727_911_001
"""The database's advisory lock: shared by who appends to logbooks, held alone by who makes a checkpoint."""


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far one logbook went: the number of its entries, and the hash of its last link."""

    robot_id: str
    entries: _Positive
    chain: Hash

    @property
    def leaf(self) -> bytes:
        # Its canonical form, sixteen times as fast: a checkpoint is made of a leaf for every robot.
        return leaf_hash(msgspec.json.encode(self, order="sorted"))


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` and `root`: the log with this checkpoint. `heads` logbooks had heads under `heads_root` at `time_us`.

    Each entry that was there by then was received at or before `time_us`, each later one at or after it.
    """

    size: _Positive
    root: Hash
    heads: Count
    heads_root: Hash
    time_us: Time
    platform: PublicKey

    @property
    def leaf(self) -> bytes:
        """What the log holds of it."""
        held = {"heads": self.heads, "heads_root": self.heads_root, "time_us": self.time_us}
        return leaf_hash(canonical(held))


class SignedCheckpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    checkpoint: Checkpoint
    signature: Signature

    @property
    def is_authentic(self) -> bool:
        """Whether the platform's key that it names signed it."""
        return is_signed(self.checkpoint.platform, Purpose.CHECKPOINT, canonical(self.checkpoint), self.signature)


class Published(SignedCheckpoint, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a file of checkpoints, or one record of their topic.

    `last` proves that the checkpoint is the log's last leaf, `consistency` that its log begins with the one before.
    """

    last: _Proof = ()
    consistency: _Proof = ()


class Anchor(SignedCheckpoint, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A checkpoint, and the proof that the head of one logbook, leaf `index`, is under its `heads_root`."""

    head: Head
    index: Count
    path: _Proof = ()

    @property
    def holds(self) -> bool:
        checkpoint, path = self.checkpoint, _bytes(self.path)
        expected = bytes.fromhex(checkpoint.heads_root)
        return is_included(self.head.leaf, self.index, checkpoint.heads, path, expected)


def in_order(heads: Iterable[Head]) -> list[Head]:
    """As their leaves stand in the tree: by code. Raises ContractError where a robot has two heads."""
    ordered = sorted(heads, key=lambda head: head.robot_id)
    for one, other in pairwise(ordered):
        if one.robot_id == other.robot_id:
            raise ContractError(f"robot {one.robot_id} has two logbooks: a checkpoint has room for one head")
    return ordered


def publish(log: Sequence[bytes], heads: Sequence[Head], time_us: int, private: Ed25519PrivateKey) -> Published:
    """The next checkpoint after those whose leaves are `log`, of heads as `in_order` gives them."""
    heads_root = root([head.leaf for head in heads]).hex()
    bare = Checkpoint(
        size=len(log) + 1,
        root=heads_root,  # it follows from the leaf, which does not hold it
        heads=len(heads),
        heads_root=heads_root,
        time_us=time_us,
        platform=public_key(private),
    )
    leaves = [*log, bare.leaf]
    checkpoint = msgspec.structs.replace(bare, root=root(leaves).hex())
    return Published(
        checkpoint=checkpoint,
        signature=sign(private, Purpose.CHECKPOINT, canonical(checkpoint)),
        last=_hex(inclusion(leaves, len(log))),
        consistency=_hex(consistency(leaves, len(log))) if log else (),
    )


def anchor(signed: SignedCheckpoint, heads: Sequence[Head], robot_id: str) -> Anchor:
    """The proof for one robot, of the heads that were published. Raises RejectError where it had none by then."""
    index = next((i for i, head in enumerate(heads) if head.robot_id == robot_id), None)
    if index is None:
        raise RejectError("wrong_type", f"the checkpoint was made before robot {robot_id} had a logbook")
    return Anchor(
        checkpoint=signed.checkpoint,
        signature=signed.signature,
        head=heads[index],
        index=index,
        path=_hex(inclusion([head.leaf for head in heads], index)),
    )


def decode_published(line: bytes) -> Published:
    """Raises RejectError."""
    try:
        return msgspec.convert(parse(line), Published)
    except msgspec.ValidationError as error:
        raise RejectError("wrong_type", str(error)[:200]) from None


def faults_of(lines: Sequence[Published], platforms: frozenset[str]) -> list[str]:
    """What is wrong with a file of checkpoints, a sentence each. It may begin anywhere, but leaves none out."""
    wrong: list[str] = []
    before: Checkpoint | None = None
    for line in lines:
        name = f"checkpoint {line.checkpoint.size}"
        if not line.is_authentic or line.checkpoint.platform not in platforms:
            wrong.append(f"{name} is not signed by a key of the platform")
            continue
        wrong += [f"{name} {text}" for text in _faults_of(line, before)]
        before = line.checkpoint
    return wrong


def _faults_of(line: Published, before: Checkpoint | None) -> list[str]:
    now, wrong = line.checkpoint, []
    log = bytes.fromhex(now.root)
    if not is_included(now.leaf, now.size - 1, now.size, _bytes(line.last), log):
        wrong.append("is not the last of its own log")
    if before is None:
        return wrong
    if now.size != before.size + 1:
        return [*wrong, f"does not follow checkpoint {before.size}: there are others between, or before"]
    if not is_consistent(before.size, bytes.fromhex(before.root), now.size, log, _bytes(line.consistency)):
        wrong.append(f"has another past than checkpoint {before.size}")
    if now.time_us < before.time_us:
        wrong.append(f"says that it was made before checkpoint {before.size}")
    return wrong


def _hex(proof: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(node.hex() for node in proof)


def _bytes(proof: Iterable[str]) -> list[bytes]:
    return [bytes.fromhex(node) for node in proof]
