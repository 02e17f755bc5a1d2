"""Waiting until what was sent is visible in the database, and counting it there.

In: a database URL, the offsets that the broker acknowledged and what was sent. Out: rows landed and records
rejected. Called by `robovitals replay --wait`.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from ingest.publish import Acknowledged
from ingest.replay import Sent
from schemas.errors import UnavailableError
from schemas.topics import FRAMES

POLL_S = 0.1
GIVE_UP_S = 60.0  # without any progress: a lander that was killed is back long before

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_NEXT_OFFSETS = "SELECT partition, next_offset FROM landed WHERE topic = $1"

# Only what this replay sent: a frame landed before, under the same boot and time, is the same frame.
_ROWS = """
SELECT count(*) FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
    AS sent (robot_id, boot_id, first_time, last_time)
JOIN frame ON frame.robot_id = sent.robot_id AND frame.boot_id = sent.boot_id
    AND frame.time BETWEEN sent.first_time AND sent.last_time
"""

_REJECTS = """
SELECT reject.reason, count(*) FROM unnest($2::int[], $3::bigint[], $4::bigint[]) AS sent (partition, first, last)
JOIN reject ON reject.topic = $1 AND reject.partition = sent.partition
    AND reject.record_offset BETWEEN sent.first AND sent.last AND reject.key = ANY ($5::bytea[])
GROUP BY reject.reason
"""


@dataclass(frozen=True, slots=True)
class Visible:
    """Rows in `frame`, and rows in `reject` by their reasons, of what was sent."""

    landed: int
    reasons: dict[str, int]

    @property
    def rejected(self) -> int:
        return sum(self.reasons.values())


async def wait_until_visible(
    database_url: str, acknowledged: Acknowledged, sent: Sent, progress: Callable[[int], None]
) -> Visible:
    """Wait for the stored offsets to pass ours; `progress` gets how many records are still to land.

    Raises UnavailableError when the database does not answer, or nothing lands for GIVE_UP_S.
    """
    try:
        connection = await asyncpg.connect(database_url, timeout=10)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UnavailableError(
            f"the database does not answer ({error}): `robovitals doctor`, or correct ROBOVITALS_DATABASE_URL"
        ) from None
    try:
        await _wait_for_offsets(connection, acknowledged, progress)
        return await _count(connection, acknowledged, sent)
    except asyncpg.UndefinedTableError:
        raise UnavailableError("the database has no tables of ours: `robovitals migrate`") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UnavailableError(f"the database went away while waiting ({error}): run the same again") from None
    finally:
        connection.terminate()


async def _wait_for_offsets(
    connection: "asyncpg.Connection[Any]", acknowledged: Acknowledged, progress: Callable[[int], None]
) -> None:
    before, moved_s = None, time.monotonic()
    while True:
        rows = await connection.fetch(_NEXT_OFFSETS, FRAMES.name)
        stored = {row["partition"]: row["next_offset"] for row in rows}
        missing = sum(
            max(0, last + 1 - max(stored.get(partition, 0), acknowledged.first[partition]))
            for partition, last in acknowledged.last.items()
        )
        progress(missing)
        if not missing:
            return
        if stored != before:
            before, moved_s = stored, time.monotonic()
        elif time.monotonic() - moved_s > GIVE_UP_S:
            raise UnavailableError(
                f"{missing} records are in Kafka and nothing has landed for {GIVE_UP_S:.0f} s: `robovitals status` "
                "says whether the lander runs"
            )
        await asyncio.sleep(POLL_S)


async def _count(connection: "asyncpg.Connection[Any]", acknowledged: Acknowledged, sent: Sent) -> Visible:
    landed = await connection.fetchval(
        _ROWS,
        [robot for robot, _ in sent.spans],
        [boot for _, boot in sent.spans],
        [_moment(span.first_us) for span in sent.spans.values()],
        [_moment(span.last_us) for span in sent.spans.values()],
    )
    partitions = list(acknowledged.last)
    rejected = await connection.fetch(
        _REJECTS,
        FRAMES.name,
        partitions,
        [acknowledged.first[partition] for partition in partitions],
        [acknowledged.last[partition] for partition in partitions],
        [robot.encode() for robot, _ in sent.spans],
    )
    return Visible(landed, dict(rejected))


def _moment(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)
