"""Fills tables without Kafka, through the product's own encoders and statements.

In: what there is to be. Out: rows of `frame`, `robot`, `health` and `vitals`. Called by `bench disk`.
"""

import sys
from collections.abc import Iterator, Sequence

import asyncpg
import numpy as np

from deploy.bench.fleet import LAYOUT, READINGS, Fleet
from deploy.bench.raw import ROWS, Record
from ingest.batch import FrameContent, LogbookContent, make_batch
from ingest.statements import Connection, add_robots, store
from schemas.frame import encode_frame
from schemas.health import HEALTH_VERSION, Health, Status, Zone, encode_health
from schemas.signals import MODES, STATISTICS
from schemas.topics import FRAMES, HEALTH, VITALS
from schemas.vitals import FINAL, VITALS_VERSION, WINDOW_COLUMNS, Vitals, encode_vitals, pack_statistics

DAY_S = 86_400
DAY_US = DAY_S * 1_000_000
WINDOW_US = 60_000_000

_TIMES = ("start", "last_time", "received")
_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE (table_schema, table_name) = ('public', 'vitals') ORDER BY ordinal_position"""


async def fill(database_url: str, robots: int, frames: int, histories: int, end_us: int, days: int) -> str:
    """A fleet's last frames and health; of `histories` more robots a day of frames and `days` of vitals, up to
    `end_us`. Returns the code of one of these.
    """
    apart_us = 1e6 / robots
    fleet = Fleet(robots, end_us - round(frames * apart_us), apart_us)
    old = Fleet(histories, end_us - DAY_US, 1e6 / histories)
    codes = [old.frame(number).robot_id for number in range(histories)]
    connection = await asyncpg.connect(database_url)
    try:
        print("filling frame …", file=sys.stderr)
        await _frames(connection, old, DAY_S * histories)
        await _frames(connection, fleet, frames)
        await _healths(connection, [*codes, *(fleet.frame(number).robot_id for number in range(robots))], end_us)
        print("filling vitals …", file=sys.stderr)
        await _day_of_vitals(connection, codes, end_us - days * DAY_US)
        await _more_days(connection, days)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return codes[0]


async def _frames(connection: Connection, fleet: Fleet, count: int) -> None:
    for first in range(0, count, ROWS):
        sent = [fleet.frame(number) for number in range(first, min(first + ROWS, count))]
        values = [(frame.robot_id.encode(), encode_frame(frame), frame.time_us // 1000) for frame in sent]
        await _store(connection, FRAMES.name, values)


async def _healths(connection: Connection, codes: Sequence[str], now_us: int) -> None:
    for first in range(0, len(codes), ROWS):
        told = (_health(code, now_us) for code in codes[first : first + ROWS])
        values = [(health.robot_id.encode(), encode_health(health), now_us // 1000) for health in told]
        await _store(connection, HEALTH.name, values)


async def _day_of_vitals(connection: Connection, codes: Sequence[str], start_us: int) -> None:
    windows = list(_windows(codes, start_us))
    values = [(b"0/0", encode_vitals(vitals), vitals.start_us // 1000) for vitals in windows]
    await _store(connection, VITALS.name, values)


async def _store(connection: Connection, topic: str, values: Sequence[tuple[bytes, bytes, int]]) -> None:
    """As the lander does, without its offsets. `values`: key, value, broker's time stamp in ms."""
    records = [Record(key, value, offset, ms, 0) for offset, (key, value, ms) in enumerate(values)]
    content = make_batch(topic, records, {0: 0}).content
    assert not isinstance(content, LogbookContent), "frames and vitals are what it fills"
    async with connection.transaction():
        await store(connection, content, deduplicate=False)
        if isinstance(content, FrameContent):
            await add_robots(connection, content.first_time_us)


async def _more_days(connection: Connection, days: int) -> None:
    """The first day again, a day later each time, in the order in which windows come."""
    columns = [row["column_name"] for row in await connection.fetch(_COLUMNS)]
    later = ", ".join(f"{name} + $1 * interval '1 day'" if name in _TIMES else name for name in columns)
    await connection.execute("CREATE TEMPORARY TABLE day AS SELECT * FROM vitals ORDER BY start, robot_id")
    copy = await connection.prepare(f"INSERT INTO vitals ({', '.join(columns)}) SELECT {later} FROM day")  # noqa: S608
    for day in range(1, days):
        await copy.fetch(day)
    await connection.execute("DROP TABLE day")


def _health(code: str, now_us: int) -> Health:
    return Health(
        v=HEALTH_VERSION, robot_id=code, time_us=now_us, last_seen_us=now_us, received_us=now_us,
        status=Status.NORMAL, zone=Zone.A, mode="working", software="bench", scenario="bench", components=[],
        open_episodes=0,
    )  # fmt: skip


def _windows(codes: Sequence[str], first_us: int) -> Iterator[Vitals]:
    """A day of windows of a shard, one a minute, with other readings in each."""
    draw, count = np.random.default_rng(3), len(codes)
    for number in range(DAY_US // WINDOW_US):
        start_us = first_us + number * WINDOW_US
        columns = {name: np.zeros(count, kind) for name, kind in WINDOW_COLUMNS.items()}
        columns["robot_id"][:] = [code.encode() for code in codes]
        columns["frames"] += 60
        columns["mode"] += MODES.index("working")
        for name in ("last_time_us", "received_us"):
            columns[name] += start_us + WINDOW_US - 1
        values = draw.uniform(0, 1, (count, READINGS)).astype("<f4")
        yield Vitals(
            v=VITALS_VERSION,
            shard=0,
            layout=LAYOUT.text,
            kind=FINAL,
            start_us=start_us,
            length_us=WINDOW_US,
            **{name: column.tobytes() for name, column in columns.items()},
            software=["bench"] * count,
            scenario=["bench"] * count,
            statistics=pack_statistics(LAYOUT, dict.fromkeys(STATISTICS, values)),
        )
