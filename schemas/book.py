"""A `Book` as the database keeps it between entries, and which earlier entries the next one has to be held against.

In: a `Book`, or its bytes with the kinds of a few entries. Out: its bytes, or a `Book` that an entry can be judged
by. Called by whoever appends, and by whoever checks an entry before it is sent. Pure.

The kinds of all entries would grow with the logbook; they are looked up in the table of entries, by id, for the
few that the next one names.
"""

from collections.abc import Mapping

import msgspec

from schemas.chain import Book, Key
from schemas.entry import Entry
from schemas.logbook import Correction


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry's words can change, and where the chain stands."""

    robot_id: str
    number: int
    chain: str
    received_us: int
    keys: dict[str, Key]
    registered: bool
    scrapped_us: int


def encode_book(book: Book) -> bytes:
    """Without its platforms, which are a setting, and the kinds of its entries, which have a table."""
    return msgspec.json.encode(
        _Stored(
            robot_id=book.robot_id,
            number=book.number,
            chain=book.chain,
            received_us=book.received_us,
            keys=book.keys,
            registered=book.registered,
            scrapped_us=book.scrapped_us,
        )
    )


def decode_book(data: bytes, platforms: frozenset[str], kinds: Mapping[str, str]) -> Book:
    """`kinds`: by id those of the entries that are there among `asked_ids`. Raises msgspec.MsgspecError."""
    stored = msgspec.json.decode(data, type=_Stored)
    return Book(
        robot_id=stored.robot_id,
        platforms=platforms,
        number=stored.number,
        chain=stored.chain,
        received_us=stored.received_us,
        keys=stored.keys,
        kinds=dict(kinds),
        registered=stored.registered,
        scrapped_us=stored.scrapped_us,
    )


def asked_ids(entry: Entry) -> set[str]:
    """The ids of entries whose kinds `judge` asks for."""
    what = entry.what
    named = {what.corrects, what.instead} if isinstance(what, Correction) else set()
    return {entry.id, *(id_ for id_ in named if id_ is not None)}
