"""A robot's logbook out of the database, as the file that everybody can check (`docs/logbook.md`).

In: an asyncpg connection and a code. Out: the file's bytes, and the rows they were made of. Called by the API, by
`robovitals logbook export` and by `verify-log CODE`. Lines are written as they are kept, true or not: whoever
changed the table is found out by who checks the file.

The anchor leads to the newest checkpoint that has the logbook. Its head is the one that was pinned; where that is
not in the tree, for somebody has set it back, it is the last entry whose head is.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg
import msgspec

from schemas.canonical import canonical, parse
from schemas.checkpoint import Anchor, Head, Published, decode_published
from schemas.entry import decode_record
from schemas.errors import RejectError
from schemas.logbook import SALT_BYTES, Opened
from schemas.logbook_file import write_lines
from schemas.tree import BLOCK, HASH_BYTES, path_to, split
from serve.database import ask

Row: TypeAlias = Any
_SALT_DIGITS = 2 * SALT_BYTES


class StoredHead(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `logbook_head`."""

    entries: int
    chain: str
    book: bytes
    pinned_entries: int | None
    pinned_chain: str | None


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """`rows`: those of `logbook_entry`, in the order of their numbers. `anchor` None: no checkpoint has it."""

    robot_id: str
    rows: Sequence[Row]
    head: StoredHead | None
    anchor: Anchor | None

    def file(self, personal: bool = True) -> bytes:
        """Without `personal` it has no openings."""
        lines = [_line(row, personal) for row in self.rows]
        return write_lines(self.robot_id, lines, [] if self.anchor is None else [self.anchor])


async def read_logbook(connection: asyncpg.Connection, robot_id: str) -> Stored:
    """As it stands there; without rows where there is none. What is asked last knows most, so no entry is missing
    that the anchor has.
    """
    found = await ask(connection, "logbook_head", robot_id)
    head = StoredHead(**found[0]) if found else None
    rows = await ask(connection, "logbook_lines", robot_id)
    anchor = await _anchor(connection, robot_id, head, rows)
    return Stored(robot_id=robot_id, rows=rows, head=head, anchor=anchor)


async def checkpoints_after(connection: asyncpg.Connection, size: int) -> list[Published]:
    """Raises RejectError where a line is none."""
    return [decode_published(row["line"]) for row in await ask(connection, "logbook_checkpoints", size)]


def _line(row: Row, personal: bool) -> bytes:
    record: bytes = row["record"]
    if not personal or not row["opened"]:
        return record
    opened = [Opened(salt=text[:_SALT_DIGITS], value=text[_SALT_DIGITS:]) for text in row["opened"]]
    try:
        document = parse(record)
        assert isinstance(document, dict), "a record is an object"
        return canonical({**document, "opened": opened})
    except (RejectError, AssertionError):
        return record


async def _anchor(
    connection: asyncpg.Connection, robot_id: str, head: StoredHead | None, rows: Sequence[Row]
) -> Anchor | None:
    pinned = []
    if head is not None and head.pinned_entries and head.pinned_chain is not None:
        pinned = [Head(robot_id=robot_id, entries=head.pinned_entries, chain=head.pinned_chain)]
    return await _proof(connection, pinned) or await _proof(connection, _heads(robot_id, rows))


def _heads(robot_id: str, rows: Sequence[Row]) -> list[Head]:
    """The head that each entry once was, the newest first."""
    heads = []
    for row in reversed(rows):
        try:
            link = decode_record(row["record"]).link
        except RejectError:
            continue
        heads.append(Head(robot_id=robot_id, entries=link.number, chain=link.hash))
    return heads


async def _proof(connection: asyncpg.Connection, heads: Sequence[Head]) -> Anchor | None:
    """Of the first of these heads that is in the tree, if there is one and it leads to the checkpoint."""
    if not heads:
        return None
    found = await ask(connection, "logbook_places", [head.leaf for head in heads])
    places = {row["leaf"]: row["place"] - 1 for row in found if row["place"]}
    head = next((head for head in heads if head.leaf in places), None)
    if head is None:
        return None
    index = places[head.leaf] // HASH_BYTES
    first = index // BLOCK * BLOCK * HASH_BYTES
    (row,) = await ask(connection, "logbook_block", first + 1, BLOCK * HASH_BYTES)
    try:
        published = decode_published(row["line"])
        path = path_to(index, split(row["block"]), split(row["blocks"]))
    except (RejectError, IndexError):
        return None
    anchor = Anchor(
        checkpoint=published.checkpoint,
        signature=published.signature,
        head=head,
        index=index,
        path=tuple(node.hex() for node in path),
    )
    return anchor if anchor.holds else None
