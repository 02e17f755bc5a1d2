"""What operators do, on a real Kafka and a real database: through kills of the assessor, and once each."""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from deploy.topics import delete_all, ensure
from processors.forward_actions import partition_of
from schemas.action import Action, Kind, encode_action
from schemas.kafka import Kafka
from schemas.topics import ACTIONS, DEFAULT_PARTITIONS, VITALS, shard_key, shard_of
from schemas.vitals import Pulse, encode_vitals
from support.assess import robot, window
from support.pipeline import Pipeline, pipeline

ACKNOWLEDGED, SHELVED, SERVICED, LEFT, UNKNOWN = (robot(number) for number in range(5))
ILL = (ACKNOWLEDGED, SHELVED, SERVICED, LEFT)
HOURS_US = 3_600_000_000

_STATES = """
SELECT robot_id, state, active, shelved_until, actor, note, transitions
FROM episode WHERE rule = 'limit' ORDER BY robot_id"""


@pytest.fixture
async def fresh(kafka: Kafka, database_url: str, tmp_path: Path) -> Any:
    await delete_all(kafka)
    await ensure(kafka)
    with pipeline(tmp_path, kafka, database_url, ROBOVITALS_INSTANCE="test") as running:
        yield running


def windows(numbers: Iterable[int], codes: Iterable[str] = ILL, celsius: float = 95.0) -> list[tuple[int, bytes]]:
    """Partition and value of windows in which a joint is hot."""
    found = []
    for number in numbers:
        for code in codes:
            message = window({code: {"joint_temperature_c": [celsius]}}, number)
            message.shard = shard_of(code)
            found.append((partition_of(code, DEFAULT_PARTITIONS), encode_vitals(message)))
    return found


async def publish(kafka: Kafka, messages: Iterable[tuple[int, bytes]]) -> None:
    async with AIOKafkaProducer(**kafka.client()) as producer:
        for partition, value in messages:
            await producer.send(VITALS.name, value, key=shard_key(partition, 0), partition=partition)
        await producer.flush()


def action(code: str, kind: Kind, **changes: Any) -> Action:
    now_us = time.time_ns() // 1000
    usual: dict[str, Any] = {"id": f"{kind}-{code}", "actor": "Ada", "time_us": now_us, "note": "seen", **changes}
    return Action(v=1, robot_id=code, kind=kind, **usual)


async def act(kafka: Kafka, *values: Action | bytes) -> None:
    """Whatever the client's partitioner: all on partition 0."""
    async with AIOKafkaProducer(**kafka.client()) as producer:
        for value in values:
            await producer.send(
                ACTIONS.name, value if isinstance(value, bytes) else encode_action(value), key=b"any", partition=0
            )
        await producer.flush()


async def until(
    database: asyncpg.Connection, is_so: Callable[[list[asyncpg.Record]], bool]
) -> list[asyncpg.Record]:
    while not is_so(rows := await database.fetch(_STATES)):
        await asyncio.sleep(0.05)
    return rows


def states(rows: Iterable[asyncpg.Record]) -> dict[str, str]:
    return {row["robot_id"]: row["state"] for row in rows}


async def test_what_people_did_survives_a_kill_of_the_assessor(
    fresh: Pipeline, database: asyncpg.Connection
) -> None:
    fresh.start("land")
    fresh.start("assess")
    await publish(fresh.kafka, windows(range(2)))
    await until(database, lambda rows: len(rows) == len(ILL))
    await act(
        fresh.kafka,
        action(ACKNOWLEDGED, Kind.ACKNOWLEDGE), b"junk", action(UNKNOWN, Kind.ACKNOWLEDGE),
        action(SHELVED, Kind.SHELVE), action(SERVICED, Kind.OUT_OF_SERVICE, component="joint/1"),
    )  # fmt: skip
    expected = {
        ACKNOWLEDGED: "acknowledged_active", SHELVED: "shelved", SERVICED: "out_of_service",
        LEFT: "unacknowledged_active",
    }  # fmt: skip
    before = await until(database, lambda rows: states(rows) == expected)
    rejected = fresh.metrics("assess")
    assert 'rejected_total{reason="no_episode"} 1.0' in rejected, "an episode that nobody knows"
    assert 'rejected_total{reason="undecodable"} 1.0' in rejected
    fresh.kill("assess")
    await act(fresh.kafka, action(ACKNOWLEDGED, Kind.ACKNOWLEDGE), action(LEFT, Kind.COMMENT, note="?"))
    await publish(fresh.kafka, windows(range(2, 5)))
    fresh.start("assess")
    commented = await until(database, lambda rows: sum(r["transitions"] for r in rows) > _sum(before))
    assert states(commented) == expected
    assert [r for r in commented if r["robot_id"] != LEFT] == [r for r in before if r["robot_id"] != LEFT]
    later_us = time.time_ns() // 1000 + 9 * HOURS_US
    pulse = Pulse(v=1, partition=0, now_us=later_us, watermark_us=0)
    await publish(fresh.kafka, [(n, encode_vitals(pulse)) for n in range(DEFAULT_PARTITIONS)])
    await until(database, lambda rows: states(rows)[SHELVED] == "unacknowledged_active")
    assert fresh.stop() == {"assess": 0, "land": 0}


def _sum(rows: Iterable[asyncpg.Record]) -> int:
    return sum(row["transitions"] for row in rows)


async def test_killed_again_and_again_the_assessor_loses_no_action_and_applies_none_twice(
    fresh: Pipeline, database: asyncpg.Connection
) -> None:
    fresh.start("land")
    await publish(fresh.kafka, windows(range(2), [LEFT]))
    comments = [action(LEFT, Kind.COMMENT, id=f"c-{n}", note=f"note {n}") for n in range(60)]
    for kills in range(3):
        fresh.start("assess")
        await act(fresh.kafka, *comments[20 * kills : 20 * kills + 20])
        await until(database, lambda rows, at_least=20 * kills + 5: _sum(rows) > at_least)
        fresh.kill("assess")
    fresh.start("assess")
    await until(database, lambda rows: _sum(rows) >= 61)
    assert fresh.stop() == {"assess": 0, "land": 0}
    rows = await database.fetch("SELECT number, note FROM anomaly WHERE rule = 'limit' ORDER BY number")
    assert [row["note"] for row in rows] == ["", *(comment.note for comment in comments)]
    assert [row["number"] for row in rows] == list(range(1, 62))


async def test_an_operator_lists_alarms_and_acts_on_them(fresh: Pipeline, database: asyncpg.Connection) -> None:
    await database.execute("INSERT INTO robot (robot_id, first_time) VALUES ($1, now())", LEFT)
    fresh.start("land")
    fresh.start("assess")
    await publish(fresh.kafka, windows(range(2), [LEFT]))
    (episode_id,) = [row["episode_id"] for row in await _episodes(database)]
    words = ("--episode", episode_id[:6], "--for", "2h", "--note", "belt", "--actor", "Ada")
    done = fresh.command("act", "shelve", LEFT, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("joint/1  shelved  Shelved until ")
    assert "by Ada: belt. Joint 1 temperature is 95 °C" in done.stdout
    listed = fresh.command("alarms", "--muted", "--robot", LEFT, "--json")
    (alarm,) = msgspec.json.decode(listed.stdout)["alarms"]
    assert (alarm["state"], alarm["actor"], alarm["note"]) == ("shelved", "Ada", "belt")
    printed = fresh.command("alarms")
    assert printed.stdout.splitlines() == [
        "0 calling, 0 acknowledged, 0 ended unseen, 1 shelved, 0 out of service, 0 part of another",
        "nothing on this list",
    ]
    again = fresh.command("act", "acknowledge", LEFT)
    assert again.returncode == 2
    on_its_list = f"joint/1 limit (shelved, {episode_id[:8]})"
    assert (
        again.stderr
        == f"robovitals: acknowledge: there is nothing to acknowledge; {LEFT} has on its list: {on_its_list}\n"
    )
    unknown = fresh.command("act", "acknowledge", UNKNOWN)
    assert unknown.stderr == f"robovitals: nothing of robot {UNKNOWN} has landed; some that have: {LEFT}\n"


async def _episodes(database: asyncpg.Connection) -> list[asyncpg.Record]:
    while not (rows := await database.fetch("SELECT episode_id FROM episode")):
        await asyncio.sleep(0.05)
    return rows
