"""Which heads the next checkpoint may have: those that follow from the one before, and nothing else. Pure.

In: the leaves of the checkpoint before, the heads as the database has them, and the entries since. Out: the heads,
or ContractError, which names the robot. Called by `processors/checkpointing.py`.

Who can write to the database could cut off a logbook's end and set its head back; the next checkpoint would then
sign that. So each leaf of the checkpoint before must be there again, or be followed by entries that the platform
sealed, link by link.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.chain import genesis
from schemas.checkpoint import Head
from schemas.entry import Record
from schemas.errors import ContractError


class Linked(NamedTuple):
    """Of an entry whose seal is good: what its link says, and the link's own hash."""

    number: int
    previous: str
    hash: str


def linked(robot_id: str, record: Record, platforms: frozenset[str]) -> Linked:
    """Raises ContractError for a record that the platform did not seal as it is."""
    link, signed = record.link, record.signed
    if link.platform not in platforms or not record.is_sealed:
        raise _wrong(robot_id, link.number, "the platform did not seal it")
    if link.entry != signed.hash or signed.entry.robot_id != robot_id:
        raise _wrong(robot_id, link.number, "its content is not what the platform sealed")
    return Linked(link.number, link.previous, link.hash)


def followed(before: Iterable[bytes], heads: Sequence[Head], new: Mapping[str, Sequence[Linked]]) -> Sequence[Head]:
    """The `heads`, once all is well. `before`: the leaves of the last checkpoint; `new`: entries that it lacks."""
    left = set(before)
    for head in heads:
        start = _start(head, new.get(head.robot_id, ()))
        if start is None:
            continue
        if start.leaf not in left:
            raise _wrong(head.robot_id, start.entries, "the checkpoint before has another entry there, or more")
        left.remove(start.leaf)
    if gone := new.keys() - {head.robot_id for head in heads}:
        raise ContractError(f"the logbook of robot {min(gone)} has entries and no head: `robovitals verify-log`")
    if left:
        raise ContractError(
            f"{len(left)} logbooks that the checkpoint before has are not there any more: restore them"
        )
    return heads


def _start(head: Head, entries: Sequence[Linked]) -> Head | None:
    """The head that the entries begin behind; None before the first entry of all."""
    if not entries:
        return head
    chain, number = entries[0].previous, entries[0].number - 1
    start = Head(robot_id=head.robot_id, entries=number, chain=chain) if number else None
    if start is None and chain != genesis(head.robot_id):
        raise _wrong(head.robot_id, 1, "it does not begin its logbook")
    for entry in entries:
        if (entry.number, entry.previous) != (number + 1, chain):
            raise _wrong(head.robot_id, entry.number, "it does not follow from the one before")
        number, chain = entry.number, entry.hash
    if (head.entries, head.chain) != (number, chain):
        raise _wrong(head.robot_id, head.entries, f"the head stands there, the last entry is {number}")
    return start


def _wrong(robot_id: str, number: int, text: str) -> ContractError:
    return ContractError(f"robot {robot_id}, entry {number}: {text}: `robovitals verify-log {robot_id}`")
