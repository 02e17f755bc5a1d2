"""Fills tables for `bench query`: a fleet as it is now, and the past of some of its robots.

In: how large. Out: rows, and what questions are to be asked about. What a few robots have goes through the
product's own encoders, statements and roll-up; what makes the tables as large as a fleet's, SQL writes beside it.
"""

import asyncio
import sys
import time
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec
import psutil

from deploy.bench import filling
from processors import retain
from processors.hourly import HOURLY_COLUMNS
from processors.roll import Roller
from schemas.health import ComponentHealth, RemainingLife, Status, Zone

HISTORIES = 2
PAGE = 50

_ROBOTS = """
INSERT INTO robot (robot_id, first_time)
SELECT 'ZZ' || lpad((n % 20)::text, 4, 'M') || 'HUM' || lpad((n % 7)::text, 3, '0') || lpad(n::text, 17, '0'),
    $2::timestamptz - interval '100 days'
FROM generate_series(1, $1::integer) AS n ORDER BY hashint4(n)"""

SITE = "site 3"
_SITES = "INSERT INTO robot_site SELECT robot_id, 'site ' || abs(hashtext(robot_id)) % 12 FROM robot"

# Nine in ten are well, as in a fleet that somebody looks after.
_HEALTH = """
INSERT INTO health
SELECT robot_id, $2::timestamptz, $2, $2 - interval '1 s' * (number * 36), CASE
    WHEN number < 90 THEN 'NORMAL' WHEN number < 94 THEN 'UNKNOWN' WHEN number < 98 THEN 'MAINTENANCE_REQUIRED'
    WHEN number < 99 THEN 'OFF_SPEC' ELSE 'FAILURE' END, 'A', 'working', '1.' || number % 3, 'factory_line', 0,
    $1::text::jsonb
FROM (SELECT robot_id, abs(hashtext(robot_id)) % 100 AS number FROM robot) AS shuffled
ON CONFLICT DO NOTHING"""

_FRAMES = """
INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario, software)
SELECT robot_id, $1::timestamptz, 0, 1, 0, $1, 1, false, 'factory_line', '1.0' FROM robot ON CONFLICT DO NOTHING"""

# Of each robot one episode that is over; of those that are not well one that somebody or nobody has seen.
_EPISODES = """
INSERT INTO episode
SELECT robot_id || kind, robot_id, kind, 'limit', 1, 'joint/' || 1 + kind, 'joint_temperature_c', 'machine', status,
    CASE WHEN kind = 1 THEN 'normal' WHEN hashtext(robot_id) % 2 = 0 THEN 'unacknowledged_active'
         ELSE 'acknowledged_active' END,
    kind = 2, false, '', '', $1::timestamptz - interval '1 hour' * (abs(hashtext(robot_id)) % 200), $1, NULL, NULL,
    3, 9, true, 91, NULL, NULL, '°C', 90, 'bench', 'bench', 'joint is hot: 91 °C, limit 90 °C', '', '', NULL
FROM health CROSS JOIN generate_series(1, 2) AS kind
WHERE kind = 1 OR status NOT IN ('NORMAL', 'UNKNOWN')"""

_DAY = "CREATE TEMPORARY TABLE day (LIKE vitals_hourly)"
_COPY_DAY = "INSERT INTO day SELECT * FROM vitals_hourly WHERE robot_id = $1 ORDER BY start DESC LIMIT 24"
_OTHERS = """
INSERT INTO vitals_hourly ({columns}) SELECT {others} FROM (SELECT robot_id AS code FROM robot LIMIT $1) AS other
CROSS JOIN day ORDER BY start ON CONFLICT DO NOTHING"""
_EARLIER = """
INSERT INTO vitals_hourly ({columns})
SELECT {earlier} FROM vitals_hourly CROSS JOIN generate_series(1, 364) AS days
WHERE robot_id = ANY ($1::text[]) AND start > $2::timestamptz - interval '1 day'
ORDER BY days DESC ON CONFLICT DO NOTHING"""
_PAGE = "SELECT robot_id FROM robot ORDER BY first_time LIMIT $1"


@dataclass(frozen=True, slots=True)
class Plan:
    """`hours`: so many robots have a day of hours. `days`: so long a past of vitals a few have."""

    robots: int
    hours: int
    days: int


@dataclass(frozen=True, slots=True)
class Filled:
    """`robot` has a past; `page` are robots that a page would show. `windows` were rolled up in `roll_s`, which
    took `roll_cpu_s` of CPU.
    """

    robot: str
    page: list[str]
    alarms: int
    windows: int
    roll_s: float
    roll_cpu_s: float


async def fill(database_url: str, plan: Plan, end: datetime) -> Filled:
    """Up to `end`, which is a moment ago."""
    end_us = round(end.timestamp() * 1e6)
    robot = await filling.fill(database_url, PAGE, PAGE, HISTORIES, end_us, plan.days)
    connection = await retain.connect(database_url)
    try:
        print("rolling up …", file=sys.stderr)
        began_s = cpu_s(connection)
        roll_s = await _roll(connection, end)
        roll_cpu_s = cpu_s(connection) - began_s
        windows = await connection.fetchval("SELECT sum(windows) FROM vitals_hourly")
        print("filling robots, health, episodes and hours …", file=sys.stderr)
        await connection.execute(_ROBOTS, plan.robots - PAGE - HISTORIES, end)
        await connection.execute(_HEALTH, msgspec.json.encode(_components()).decode(), end, timeout=600)
        await connection.execute(_SITES, timeout=600)
        await connection.execute(_FRAMES, end, timeout=600)
        await connection.execute(_EPISODES, end, timeout=600)
        await _hours(connection, robot, plan.hours, end)
        await connection.execute("VACUUM ANALYZE", timeout=600)
        alarms = await connection.fetchval("SELECT count(*) FROM episode WHERE state <> 'normal'")
        page = [row["robot_id"] for row in await connection.fetch(_PAGE, PAGE)]
    finally:
        await connection.close()
    return Filled(robot, page, alarms, windows, roll_s, roll_cpu_s)


def cpu_s(connection: asyncpg.Connection) -> float:
    """Of ours and of the backend of a server on this machine; of one elsewhere only ours."""
    ours = time.process_time()
    try:
        times = psutil.Process(connection.get_server_pid()).cpu_times()
    except psutil.NoSuchProcess:
        return ours
    return float(ours + times.user + times.system)


async def _roll(connection: asyncpg.Connection, end: datetime) -> float:
    """All that there is; returns how long it took."""
    roller = Roller(connection)
    took_s, claimed = 0.0, False
    while not claimed:
        claimed = await roller.claim(end)
        began_s = time.monotonic()
        while (rolled := await roller.roll()) != 0:
            if rolled is None:
                await asyncio.sleep(0.05)
        took_s += time.monotonic() - began_s
    return took_s


async def _hours(connection: asyncpg.Connection, robot: str, others: int, end: datetime) -> None:
    """A day of hours of many robots, and a year of those that have vitals."""
    codes = await connection.fetch("SELECT DISTINCT robot_id FROM vitals_hourly")
    columns = ", ".join(HOURLY_COLUMNS)
    await connection.execute(_DAY)
    await connection.execute(_COPY_DAY, robot)
    of_others = ", ".join("code" if name == "robot_id" else name for name in HOURLY_COLUMNS)
    await connection.execute(_OTHERS.format(columns=columns, others=of_others), others, timeout=600)
    earlier = ", ".join("start - days * interval '1 day'" if name == "start" else name for name in HOURLY_COLUMNS)
    filled = _EARLIER.format(columns=columns, earlier=earlier)
    await connection.execute(filled, [row["robot_id"] for row in codes], end, timeout=600)


def _components() -> list[ComponentHealth]:
    wears = RemainingLife(
        signal="joint_wear", days=123.4, low=100.1, high=200.2, limit=0.8, text="wear reaches 0.8 in about 123 days"
    )
    joints = [
        ComponentHealth(component=f"joint/{n}", status=Status.NORMAL, zone=Zone.A, remaining_life=wears)
        for n in range(1, 30)
    ]
    others = [
        ComponentHealth(component=name, status=Status.NORMAL, zone=Zone.A)
        for name in ("battery", "accuracy", "robot")
    ]
    return [*joints, *others]
