"""What the registry says of one robot, and whether its logbook is sound, as far as the platform itself can tell.

In: an asyncpg connection and a code. Out: a `Passport`, the parts that are in place, a `Verdict`. Called by the
API, the robot's pages, the history report and `robovitals robot show`.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from schemas.checkpoint import Published, decode_published
from schemas.errors import RejectError
from schemas.logbook_check import Verdict, check_logbook
from serve.database import ask, rows
from serve.logbook_export import Stored, checkpoints_after, read_logbook


class Passport(msgspec.Struct, frozen=True, kw_only=True):
    """A registered robot. `level`: its intelligence level, empty where not known; `status`: active, recalled or
    scrapped; `entries`: of its logbook.
    """

    maker: str
    model: str
    level: str
    joints: int
    made: datetime
    registered: datetime
    status: str
    status_since: datetime
    entries: int


class InstalledPart(msgspec.Struct, frozen=True, kw_only=True):
    component: str
    serial: str
    part: str
    installed: datetime


async def passport(connection: asyncpg.Connection, code: str) -> Passport | None:
    """None: no entry registers it."""
    found = await rows(connection, Passport, "robot_passport", code)
    return found[0] if found else None


async def installed_parts(connection: asyncpg.Connection, code: str) -> list[InstalledPart]:
    return await rows(connection, InstalledPart, "robot_parts", code)


async def with_checkpoint(connection: asyncpg.Connection, code: str) -> tuple[Stored, list[Published]]:
    """The logbook as it stands, and the newest checkpoint that it can be held against, if there is one."""
    # Asked first: a checkpoint that is made meanwhile must not be one that the logbook's proof does not lead to.
    before = await ask(connection, "newest_checkpoint")
    stored = await read_logbook(connection, code)
    try:
        if stored.anchor is not None:
            return stored, (await checkpoints_after(connection, stored.anchor.checkpoint.size - 1))[:1]
        return stored, [decode_published(row["line"]) for row in before]
    except RejectError:  # somebody has changed it, or a later version made it: it shows nothing
        return stored, []


async def integrity(stored: Stored, published: Sequence[Published], platforms: frozenset[str]) -> Verdict | None:
    """Of what `with_checkpoint` has read, by the platform's own keys; where it has none here, what the logbook says
    of them is taken, and not proven. None where there is no entry. Whoever does not believe the platform keeps a
    checkpoint, and uses `robovitals verify-log`.
    """
    if not stored.rows:
        return None
    return await asyncio.to_thread(check_logbook, stored.file(), platforms or None, published)
