"""What of all that is due goes out now, and what of it together.

In: the first deliveries of their episodes, in the order in which they are due, and how many messages may go out.
Out: the messages. Called by `processors/notify/delivering.py`. Pure.

More than the rate allows is told as one digest where the receiver can be told so, and waits where it cannot:
nothing is lost.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

MOST_TOGETHER = 50  # so many fit into 20 kB


class Head(NamedTuple):
    """A delivery that is due. `message_id`: it was sent in that before; `bundle`: what it is told with."""

    id: int
    delivery_id: str
    message_id: str
    bundle: str


class Parcel(msgspec.Struct, frozen=True):
    """One message. A `bundle` is to be filled up, a `message_id` looked up: it was sent before."""

    ids: tuple[int, ...]
    delivery_ids: tuple[str, ...]
    bundle: str = ""
    message_id: str = ""


def parcels(heads: Sequence[Head], free: int, left: int | None, can_digest: bool) -> list[Parcel]:
    """`free`: how many messages may be begun, `left` how many of them the rate allows (None: all)."""
    found = list(_parcels(heads))
    if left is None or len(found) <= left:
        return found[:free]
    if left < 1:
        return []
    if not can_digest:
        return found[: min(free, left)]
    alone, rest = found[: left - 1], found[left - 1 :]
    # A message that was sent before stays as it was, and a bundle is one already: in its turn it goes as it is.
    single = [parcel for parcel in rest if not parcel.bundle and not parcel.message_id]
    if len(single) < 2 or rest[0] not in single:
        return found[: min(free, left)]
    digest = Parcel(
        tuple(id for parcel in single for id in parcel.ids),
        tuple(id for parcel in single for id in parcel.delivery_ids),
    )
    return [*alone[: free - 1], digest]


def message_id(delivery_ids: Sequence[str]) -> str:
    """Of one alone its own, so that it is known beforehand; of several one that follows from them."""
    if len(delivery_ids) == 1:
        return delivery_ids[0]
    return "msg_" + hashlib.blake2b("\0".join(sorted(delivery_ids)).encode(), digest_size=12).hexdigest()


def _parcels(heads: Sequence[Head]) -> Iterable[Parcel]:
    seen: set[str] = set()
    for head in heads:
        together = head.message_id or head.bundle
        if together in seen:
            continue
        if together:
            seen.add(together)
        bundle = "" if head.message_id else head.bundle
        yield Parcel((head.id,), (head.delivery_id,), bundle, head.message_id)
