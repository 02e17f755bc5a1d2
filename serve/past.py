"""What was the matter with a robot, and how good its data is, over a stretch of time.

In: an asyncpg connection, a robot and a stretch. Out: structs. Called by the robot's page and the API.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from serve.database import ask, rows
from serve.words import matter

EPISODES_AT_MOST = 500


class PastEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """An episode as a bar on a time axis: from `opened` until `cleared`, or on where it is `active`.

    `acknowledged` and `acknowledged_by`: when somebody last did so, and who; null and empty where nobody did.
    `text`: what is the matter, without what was done about it.
    """

    episode_id: str
    component: str
    signal: str
    rule: str
    about: str
    status: str
    state: str
    active: bool
    parent: str
    opened: datetime
    last_sign: datetime
    cleared: datetime | None
    shelved_until: datetime | None
    text: str
    acknowledged: datetime | None
    acknowledged_by: str


class DataQuality(msgspec.Struct, frozen=True, kw_only=True):
    """Of the frames in a robot's windows. `missing`: sequence numbers that never came, within each boot.
    `backfill_frames`: sent late, from its spool. `impossible`: readings that were taken out.
    """

    frames: int
    missing: int
    backfill_frames: int
    boots: int
    impossible: int


class Drops(msgspec.Struct, frozen=True, kw_only=True):
    """Frames that a robot's agent has had to drop, as its newest frame says: in `total`, since its spool began, and
    `lately`, since the moment that was asked about (None: the frames do not tell). `time`: of that frame.
    """

    total: int
    lately: int | None
    time: datetime


async def episodes_between(
    connection: asyncpg.Connection, code: str, start: datetime, end: datetime
) -> list[PastEpisode]:
    """The newest EPISODES_AT_MOST of those that held at some moment from `start` until `end`, the oldest first."""
    found = await ask(connection, "episodes_between", code, start, end, EPISODES_AT_MOST)
    return [
        msgspec.convert(dict(row) | {"text": matter(row["text"], row["actor"], row["note"])}, PastEpisode)
        for row in found
    ]


async def data_quality(connection: asyncpg.Connection, code: str, start: datetime, end: datetime) -> DataQuality:
    """Over the windows that begin from `start` until `end`."""
    return (await rows(connection, DataQuality, "data_quality", code, start, end))[0]


async def latest_accuracy(connection: asyncpg.Connection, code: str, start: datetime) -> list[dict[str, Any]]:
    """The newest window since `start` that has a figure of accuracy, by column name; empty where none has."""
    return [dict(row) for row in await ask(connection, "latest_accuracy", code, start)]


async def drops(
    connection: asyncpg.Connection, code: str, frames: Sequence[Mapping[str, Any]], start: datetime
) -> Drops | None:
    """What the robot's newest `frames`, newest first, say of its drops, and how many were since `start`; None where
    nothing counts them.
    """
    newest = next((frame for frame in frames if frame["dropped"] is not None), None)
    if newest is None:
        return None
    first = await ask(connection, "first_dropped", code, start)
    before = first[0]["dropped"] if first else None
    total = newest["dropped"]
    # A spool that was made anew began at nought.
    return Drops(
        total=total,
        lately=None if before is None or before > total else total - before,
        time=newest["time"],
    )
