"""Hours that are to be rolled up again, because windows of them land after they were.

In: the open transaction of a batch, after its windows are in `vitals`. Out: rows of `hourly_due`. Called by
`ingest/statements.py`; read by `processors/roll.py`.

Whoever rolls up moves `rolled_until` first, and begins once every transaction of that moment is over. So a batch
that does not see the move is seen by the roll-up, and one that sees it says here what it has landed: the lander
never waits for the other. What is in time, as nearly all is, costs one look at one row.
"""

from collections.abc import Sequence

import asyncpg

from schemas.robot_code import CODE_LENGTH

HOUR_US = 3_600_000_000

_IS_LATE = "SELECT rolled_until > to_timestamp(0) + $1::bigint * interval '1 us' FROM hourly_state"

_NOTE = """
INSERT INTO hourly_due (robot_id, start)
SELECT robot_id, hour FROM (
    SELECT robot_id, to_timestamp(0) + us * interval '1 us' AS hour
    FROM unnest($1::text[], $2::bigint[]) AS new (robot_id, us)
) AS landed
WHERE hour < (SELECT rolled_until FROM hourly_state)"""


async def note_hours(
    connection: "asyncpg.Connection[asyncpg.Record]", windows: Sequence[tuple[int, bytes]]
) -> None:
    """`windows`: starts, and the codes of robots, CODE_LENGTH bytes each."""
    if not windows:
        return
    earliest_us = min(start_us for start_us, _ in windows) // HOUR_US * HOUR_US
    if not await connection.fetchval(_IS_LATE, earliest_us):
        return
    hours = {
        (codes[at : at + CODE_LENGTH].decode(), start_us // HOUR_US * HOUR_US)
        for start_us, codes in windows
        for at in range(0, len(codes), CODE_LENGTH)
    }
    await connection.execute(_NOTE, [robot for robot, _ in hours], [hour for _, hour in hours])
