"""Hours of a robot's life in a database, each received when it was made: a past that a test need not wait for."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

_HOURS = """
INSERT INTO vitals_hourly (robot_id, start, windows, seen_s, active_s, frames, missing, fault_frames,
    backfill_frames, boots, last_time, received, mode, runtime_s, software, scenario, joint_wear_last)
SELECT $1, start, 360, 3600, 1800, 3600, 0, 0, 0, 1, last, last, 1, runtime_s, 'fw 1', 'factory', '{0.1,0.2}'
FROM unnest($2::timestamptz[], $3::timestamptz[], $4::bigint[]) AS hour (start, last, runtime_s)"""


async def lived(database: asyncpg.Connection, code: str, begin: datetime, runtime_s: Sequence[int]) -> None:
    """An hour for each count of its runtime, from `begin` on."""
    starts = [begin + timedelta(hours=hour) for hour in range(len(runtime_s))]
    lasts = [start + timedelta(minutes=59, seconds=50) for start in starts]
    await database.execute(_HOURS, code, starts, lasts, list(runtime_s))
    await database.execute("INSERT INTO robot VALUES ($1, $2) ON CONFLICT DO NOTHING", code, begin)
    await database.execute("UPDATE hourly_state SET rolled_until = $1", lasts[-1] + timedelta(seconds=10))


async def saw(
    database: asyncpg.Connection, code: str, component: str, serial: str, first: datetime, last: datetime
) -> None:
    """The robot told of a part of its own from one moment to another."""
    await database.execute(
        "INSERT INTO part_seen VALUES ($1, $2, $3, $4, $5, '{}')", code, component, serial, first, last
    )
