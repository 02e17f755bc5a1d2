"""What landing keeps of the parts that robots tell of, in SQL. Runs inside the transaction of a batch.

In: an open transaction and the batch's reports. Out: `part_seen` is as they say. Called by `ingest/statements.py`.
Most batches have none, and touch nothing.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import asyncpg

from ingest.parameters import transposed
from ingest.part_reports import Change, PartPlace, Report, Run, changed

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

MOST_RUNS = 10_000
"""Of a robot. Ten years of a part a day are fewer; a robot that tells of ever other serials fills no disk. Ours."""

# A partition has one lander, and a second one is fenced by its offsets, so nobody else is at these rows for long.
# Of each place the runs that begin within the span of its reports, and the ones before and after.
_RUNS = """
SELECT told.robot_id, told.component, run.serial, run.recent_us,
    (extract(epoch FROM run.first) * 1000000)::bigint AS first_us
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS told (robot_id, component, from_us, until_us)
CROSS JOIN LATERAL (
    (SELECT * FROM part_seen
     WHERE part_seen.robot_id = told.robot_id AND part_seen.component = told.component
       AND first <= to_timestamp(0) + told.from_us * interval '1 us'
     ORDER BY first DESC LIMIT 1)
    UNION ALL
    SELECT * FROM part_seen
    WHERE part_seen.robot_id = told.robot_id AND part_seen.component = told.component
      AND first > to_timestamp(0) + told.from_us * interval '1 us'
      AND first <= to_timestamp(0) + told.until_us * interval '1 us'
    UNION ALL
    (SELECT * FROM part_seen
     WHERE part_seen.robot_id = told.robot_id AND part_seen.component = told.component
       AND first > to_timestamp(0) + told.until_us * interval '1 us'
     ORDER BY first LIMIT 1)
) AS run"""

_FULL = """
SELECT robot_id FROM part_seen WHERE robot_id = ANY ($1) GROUP BY robot_id HAVING count(*) >= $2"""

_REMOVE = """
DELETE FROM part_seen USING unnest($1::text[], $2::text[], $3::bigint[]) AS gone (robot_id, component, first_us)
WHERE part_seen.robot_id = gone.robot_id AND part_seen.component = gone.component
  AND part_seen.first = to_timestamp(0) + gone.first_us * interval '1 us'"""

_ADD = """
INSERT INTO part_seen (robot_id, component, serial, first, last, recent_us)
SELECT robot_id, component, serial, to_timestamp(0) + first_us * interval '1 us',
    to_timestamp(0) + last_us * interval '1 us', string_to_array(recent_us, ',')::bigint[]
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[])
    AS come (robot_id, component, serial, first_us, last_us, recent_us)
ON CONFLICT (robot_id, component, first) DO UPDATE
SET serial = excluded.serial, last = excluded.last, recent_us = excluded.recent_us"""


async def note_parts(connection: Connection, reports: Mapping[PartPlace, Sequence[Report]]) -> None:
    """Let `part_seen` be as the reports say."""
    if not reports:
        return
    runs = await _runs(connection, reports)
    changes = {place: changed(runs.get(place, []), told) for place, told in reports.items()}
    growing = {place for place, change in changes.items() if len(change.come) > len(change.gone)}
    if growing:
        robots = sorted({robot_id for robot_id, _ in growing})
        full = {row["robot_id"] for row in await connection.fetch(_FULL, robots, MOST_RUNS)}
        changes = {place: c for place, c in changes.items() if place not in growing or place[0] not in full}
    await _write(connection, changes)


async def _runs(
    connection: Connection, reports: Mapping[PartPlace, Sequence[Report]]
) -> dict[PartPlace, list[Run]]:
    spans = [(*place, told[0].time_us, told[-1].time_us) for place, told in reports.items()]
    found: dict[PartPlace, list[Run]] = {}
    for row in await connection.fetch(_RUNS, *transposed(spans)):
        run = Run(row["serial"], row["first_us"], tuple(row["recent_us"]))
        found.setdefault((row["robot_id"], row["component"]), []).append(run)
    return found


async def _write(connection: Connection, changes: Mapping[PartPlace, Change]) -> None:
    # What is put in its own place again need not be taken away first.
    gone = [
        (*place, first_us)
        for place, change in changes.items()
        for first_us in set(change.gone) - {run.first_us for run in change.come}
    ]
    come = [
        (*place, run.serial, run.first_us, run.last_us, ",".join(map(str, run.recent)))
        for place, change in changes.items()
        for run in change.come
    ]
    if gone:
        await connection.execute(_REMOVE, *transposed(gone))
    if come:
        await connection.execute(_ADD, *transposed(come))
