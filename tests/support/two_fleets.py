"""The server's application for tests, and a database with two robots of two fleets in every table people read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from schemas.book import encode_book
from schemas.entry import encode_record
from schemas.kafka import Kafka
from schemas.limits import Limits
from schemas.logbook import Opened, Ownership, kind_name
from schemas.robot_code import is_code, make_code
from schemas.signing import public_key
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
from support.logbooks import OPERATOR, begun

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
    database_url: str,
    trust: Trust | None = None,
    limits: Limits | None = None,
    key: Ed25519PrivateKey | None = None,
) -> AsyncIterator[FastAPI]:
    """`key`: the platform's."""
    registry = CollectorRegistry()
    metrics, platforms = ServeMetrics.create(registry), frozenset({public_key(key)} if key else ())
    context = Context(database_url, metrics, trust or Trust(), limits or Limits(), platforms, key)
    await context.connect()
    app = app_of(context)
    app.state.registry = registry
    try:
        yield app
    finally:
        await context.close()


def episode_of(code: str) -> str:
    return f"episode-of-{code}"


def incident_of(code: str) -> str:
    return f"incident-of-{code}"


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
    for add in (_add_state, _add_data, _add_episode, _add_deliveries, _add_logbook, _add_incident):
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
        "INSERT INTO maintenance_task VALUES ($1, $2, 'battery', 0, $2, NULL, NULL, NULL, NULL, false, NULL, NULL,"
        " NULL, NULL, 'overdue', 2, $3)",
        code, text, NOW,
    )  # fmt: skip
    await connection.execute("INSERT INTO maintenance_judged VALUES ($1, 1, $2, $2)", code, NOW)
    await connection.execute(
        "INSERT INTO finding VALUES ($2, $1, 'undeclared_swap', 'battery', 'suspected', $3, $3, $3, NULL, '', '[]',"
        " '[]', $2)",
        code, f"finding-of-{code}", NOW,
    )  # fmt: skip
    await connection.execute("INSERT INTO part_seen VALUES ($1, 'battery', $3, $2, $2, '{}')", code, NOW, text)
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


async def _add_logbook(connection: asyncpg.Connection, code: str, text: str) -> None:
    """It is registered and sold to `text`; who owned it before is erased. Many robots together have none."""
    if not is_code(code):
        return
    owner = Opened(salt="5a" * 16, value=text)
    writer = begun(code)
    writer.write(Ownership(owner=owner.commitment), OPERATOR)
    for record in writer.records:
        entry, link = record.signed.entry, record.link
        await connection.execute(
            "INSERT INTO logbook_entry"
            " (robot_id, number, entry_id, kind, author, happened, written, received, record)"
            " VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7)",
            code, link.number, entry.id, kind_name(type(entry.what)), entry.author,
            datetime.fromtimestamp(link.received_us / 1e6, UTC), encode_record(record),
        )  # fmt: skip
    await connection.execute(
        "INSERT INTO logbook_head (robot_id, entries, chain, received, book) VALUES ($1, $2, $3, $4, $5)",
        code, writer.book.number, writer.book.chain, NOW, encode_book(writer.book),
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO logbook_opened VALUES ($1, $2, $3, $4, $5)",
        code, writer.book.number, owner.commitment, owner.salt, owner.value,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO logbook_erased (robot_id, number, commitment, erased_by, reason) VALUES ($1, 1, $2, $3, $3)",
        code, owner.commitment, text,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO passport VALUES ($1, $2, $2, 'L2', 29, $3, $3, 'active', $3)", code, text, NOW
    )
    await connection.execute("INSERT INTO installed_part VALUES ($1, 'joint/3', $2, $2, $3)", code, text, NOW)


async def _add_incident(connection: asyncpg.Connection, code: str, text: str) -> None:
    name = incident_of(code)
    await connection.execute(
        "INSERT INTO incident (incident_id, robot_id, at, opened_by, text) VALUES ($1, $2, $3, $4, $4)",
        name, code, NOW, text,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO incident_frame SELECT $1, now(), false, frame.* FROM frame WHERE robot_id = $2", name, code
    )
    await connection.execute(
        "INSERT INTO incident_record VALUES"
        " ($1, 'note/1', $2, 'note', $3, $3, true, jsonb_build_object('author', $4::text, 'text', $4::text))",
        name, code, NOW, text,
    )  # fmt: skip
    for kind, record_id in (("action", "action_id"), ("anomaly", "episode_id || '/' || number")):
        await connection.execute(
            f"INSERT INTO incident_record SELECT $1, $3 || {record_id}, $2, '{kind}', $4, $4, false,"
            f" to_jsonb({kind}) FROM {kind} WHERE robot_id = $2",
            name, code, f"{kind}/", NOW,
        )  # fmt: skip
    await connection.execute(
        "INSERT INTO incident_fault (episode_id, robot_id, at, incident_id, because) VALUES ($1, $2, $3, $4, $5)",
        episode_of(code), code, NOW, name, text,
    )  # fmt: skip


async def token(connection: asyncpg.Connection, role: Role, fleets: list[str] | None = None) -> dict[str, str]:
    """The header of a program that may do this."""
    secret = await credentials.give(connection, "token", "program", role, fleets, FOR_A_DAY)
    return {"authorization": f"Bearer {secret}"}
