"""The server's application for tests, and a database with two robots of two fleets in every table people read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from schemas.kafka import Kafka
from schemas.limits import Limits
from schemas.robot_code import make_code
from serve import credentials
from serve.app import create_app
from serve.context import Context
from serve.live import Live
from serve.metrics import ServeMetrics
from serve.people import Role
from serve.pipeline import Pipeline
from serve.publish import Publisher
from serve.trust import Trust
from serve.visits import Visits

OURS, THEIRS = make_code("ZZ", "OURS", "MODEL1", "1"), make_code("ZZ", "THEM", "MODEL1", "1")
FLEETS = {"ours": "ZZOURS", "theirs": "ZZTHEM"}
NOW = datetime.now(UTC).replace(microsecond=0)
NO_KAFKA = Kafka("127.0.0.1:1")
FOR_A_DAY = timedelta(days=1)
DELIVERY = {OURS: 1001, THEIRS: 1002}
"""By robot the id of what was told of it."""


def app_of(context: Context) -> FastAPI:
    """With nothing behind it but a database: what is asked of Kafka gets no answer."""
    pipeline = Pipeline(Path("/nowhere"), context)
    return create_app(context, Live(NO_KAFKA, context), pipeline, Publisher(NO_KAFKA), Visits())


@asynccontextmanager
async def application(
    database_url: str, trust: Trust | None = None, limits: Limits | None = None
) -> AsyncIterator[FastAPI]:
    registry = CollectorRegistry()
    context = Context(database_url, ServeMetrics.create(registry), trust or Trust(), limits or Limits())
    await context.connect()
    app = app_of(context)
    app.state.registry = registry
    try:
        yield app
    finally:
        await context.close()


def episode_of(code: str) -> str:
    return f"episode-of-{code}"


def mark_of(code: str) -> str:
    """A text that stands in each row of the robot."""
    return f"mark-of-{code[2:6]}"


async def fill(connection: asyncpg.Connection) -> None:
    """The fleets, and both robots."""
    for fleet, prefix in FLEETS.items():
        await credentials.add_to_fleet(connection, fleet, [prefix])
    for code in (OURS, THEIRS):
        await add_robot(connection, code, mark_of(code))


async def add_robot(connection: asyncpg.Connection, code: str, text: str) -> None:
    """With `text` wherever a robot or a person can write one."""
    for add in (_add_state, _add_data, _add_episode, _add_deliveries):
        await add(connection, code, text)


async def _add_state(connection: asyncpg.Connection, code: str, text: str) -> None:
    first = NOW - timedelta(days=1)
    await connection.execute("INSERT INTO robot (robot_id, first_time) VALUES ($1, $2)", code, first)
    await connection.execute(
        "INSERT INTO health VALUES ($1, $2, $2, $2, 'FAILURE', 'D', 'working', $3, $3, 1, '[]')", code, NOW, text
    )
    await connection.execute("INSERT INTO robot_site VALUES ($1, $2)", code, text)
    await connection.execute("INSERT INTO health_history VALUES ($1, $2, 'FAILURE', 'D', '[]')", code, NOW)
    await connection.execute(
        "INSERT INTO action (action_id, robot_id, kind, episode_id, component, actor, note, time)"
        " VALUES ($1, $2, 'out_of_service', '', 'battery', $3, $3, $4)",
        f"action-of-{code}", code, text, NOW,
    )  # fmt: skip


async def _add_data(connection: asyncpg.Connection, code: str, text: str) -> None:
    await connection.execute(
        "INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario, software,"
        " battery_soc) VALUES ($1, $2, 0, 1, 0, $2, 1, false, $3, $3, 0.5)",
        code, NOW - timedelta(seconds=5), text,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO vitals (robot_id, start, length_us, kind, frames, missing, last_time, received, first_seq,"
        " last_seq, boot_id, fault_frames, backfill_frames, mode, scenario, software)"
        " VALUES ($1, $2, 10000000, 0, 1, 0, $2, $2, 0, 0, 1, 0, 0, 1, $3, $3)",
        code, NOW - timedelta(seconds=10), text,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO impossible_reading (robot_id, time, seq, signal, joint, value, boot_id)"
        " VALUES ($1, $2, 0, 'battery_soc', 0, 7, 1)",
        code, NOW - timedelta(seconds=5),
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO vitals_hourly (robot_id, start, windows, seen_s, frames, missing, fault_frames,"
        " backfill_frames, boots, last_time, received, mode, software, scenario)"
        " VALUES ($1, date_trunc('hour', $2::timestamptz), 1, 10, 10, 0, 0, 0, 1, $2, $2, 1, $3, $3)",
        code, NOW, text,
    )  # fmt: skip


async def _add_episode(connection: asyncpg.Connection, code: str, text: str) -> None:
    for table, columns in (
        ("anomaly", "number, transition, first_time, last_time"),
        ("episode", "transitions, opened, last_sign"),
    ):
        number = "1, 'opened'" if table == "anomaly" else "1"
        await connection.execute(
            f"INSERT INTO {table} (episode_id, robot_id, episode, rule, rule_version, component, signal, about,"
            f" status, state, active, chattering, parent, cause, count, live, unit, software, scenario, text,"
            f" actor, note, {columns}) VALUES ($2, $1, 1, 'limit', 1, 'battery', 'battery_soc',"
            f" 'machine', 'FAILURE', 'unacknowledged_active', true, false, '', '', 1, true, '1', $4, $4, $4, $4,"
            f" $4, {number}, $3, $3)",
            code, episode_of(code), NOW, text,
        )  # fmt: skip


async def _add_deliveries(connection: asyncpg.Connection, code: str, text: str) -> None:
    await connection.execute(
        "INSERT INTO receiver (name, kind, configured, reason) VALUES ('pager', 'webhook', true, 'it said so')"
        " ON CONFLICT DO NOTHING"
    )
    await connection.execute(
        "INSERT INTO delivery (id, delivery_id, receiver, route, bundle, event_id, episode_id, robot_id,"
        " transition, status, event, created, ready, due, state, attempts, detail) OVERRIDING SYSTEM VALUE"
        " VALUES ($6, 'to-' || $1, 'pager', 'all', '', 'e', $2, $1, 'opened', 'FAILURE', $4::bytea, $3, $3, $3,"
        " 'failed', 1, $5)",
        code, episode_of(code), NOW, text.encode(), text, DELIVERY.get(code, 1000),
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO delivery_attempt (delivery, message_id, time, duration_ms, code, answer, error)"
        " VALUES ($1, $2, $3, 5, 500, $2, $2)",
        DELIVERY.get(code, 1000), text, NOW,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO security_event VALUES ($2::date, $1, 'seal_wrong', true, 0, 1, $3, $3, 1, 1, $4)",
        code, NOW.date(), NOW, text,
    )  # fmt: skip


async def token(connection: asyncpg.Connection, role: Role, fleets: list[str] | None = None) -> dict[str, str]:
    """The header of a program that may do this."""
    secret = await credentials.give(connection, "token", "program", role, fleets, FOR_A_DAY)
    return {"authorization": f"Bearer {secret}"}
