"""Rejects for people: what came, why it could not be used, as much of it as can be read; and sending it again.

In: a connection. Out: structs. Called by `serve/routes/pipeline.py`.
"""

import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from schemas.errors import SettingError
from schemas.partial import Partial, decode_partial
from schemas.topics import FRAMES
from serve.database import ask, rows
from serve.people import Person

BYTES_SHOWN = 256


class RejectCount(msgspec.Struct, frozen=True, kw_only=True):
    """Rejects of one topic and reason."""

    topic: str
    reason: str
    records: int
    latest: datetime


class RejectLine(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `head`: its first bytes as hexadecimal text. `redriven`: when somebody sent it again last."""

    topic: str
    partition: int
    record_offset: int
    received: datetime
    reason: str
    detail: str
    key: str | None
    size: int
    head: str
    content: Partial
    redriven: datetime | None
    redriven_by: str


class RejectsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. `cursor` asks for what follows; null: that was all."""

    rejects: list[RejectLine]
    cursor: str | None


class LateWindows(msgspec.Struct, frozen=True, kw_only=True):
    """Windows that wait for their repair, by why they miss frames."""

    reason: str
    windows: int
    oldest: datetime


class Place(msgspec.Struct, frozen=True):
    """Where a record was."""

    partition: int
    record_offset: int


async def reject_counts(connection: asyncpg.Connection, since: datetime, person: Person) -> list[RejectCount]:
    """For who does not see every robot: of records that came under the codes of theirs."""
    return await rows(connection, RejectCount, "reject_counts", since, _prefixes(person))


async def late_windows(connection: asyncpg.Connection, person: Person) -> list[LateWindows]:
    """Of the robots that they may see."""
    return await rows(connection, LateWindows, "late_windows", _prefixes(person))


async def rejects_page(
    connection: asyncpg.Connection, reason: str | None, cursor: str | None, limit: int
) -> RejectsPage:
    """Raises SettingError for a cursor that is none."""
    after = _read_cursor(cursor) if cursor else (None, None, None, None)
    found = await ask(connection, "rejects", reason, *after, limit + 1)
    lines = [_line(row) for row in found[:limit]]
    return RejectsPage(rejects=lines, cursor=_write_cursor(lines[-1]) if len(found) > limit else None)


class Original(msgspec.Struct, frozen=True):
    """A rejected record as it was; `seal`: of its header, None where it had none."""

    place: Place
    key: bytes | None
    value: bytes
    seal: bytes | None


async def originals(connection: asyncpg.Connection, places: Sequence[Place]) -> list[Original]:
    """Of rejected frames, in the order in which they came."""
    partitions, offsets = [p.partition for p in places], [p.record_offset for p in places]
    found = await ask(connection, "reject_bytes", FRAMES.name, partitions, offsets)
    return [
        Original(Place(row["partition"], row["record_offset"]), row["key"], row["value"], row["seal"])
        for row in found
    ]


async def note_redriven(connection: asyncpg.Connection, places: Sequence[Place], actor: str) -> None:
    partitions, offsets = [p.partition for p in places], [p.record_offset for p in places]
    await ask(connection, "reject_redriven", FRAMES.name, partitions, offsets, actor)


def _prefixes(person: Person) -> list[str] | None:
    return None if person.sees_all else list(person.prefixes)


def _line(row: Any) -> RejectLine:
    key, value = row["key"], row["value"]
    return RejectLine(
        topic=row["topic"],
        partition=row["partition"],
        record_offset=row["record_offset"],
        received=row["received"],
        reason=row["reason"],
        detail=row["detail"],
        key=None if key is None else key.decode("utf-8", "backslashreplace"),
        size=len(value),
        head=value[:BYTES_SHOWN].hex(),
        content=decode_partial(value),
        redriven=row["redriven"],
        redriven_by=row["redriven_by"],
    )


def _write_cursor(line: RejectLine) -> str:
    where = (line.received, line.topic, line.partition, line.record_offset)
    return binascii.hexlify(msgspec.json.encode(where)).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str, int, int]:
    try:
        return msgspec.json.decode(binascii.unhexlify(cursor), type=tuple[datetime, str, int, int])
    except (ValueError, msgspec.DecodeError):
        raise SettingError(f"cursor {cursor[:40]!r} is none of ours") from None
