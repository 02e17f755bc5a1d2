"""The server on a real Kafka and a real database: changes are told, deeds are sent, rejects go again."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.action import Kind, decode_action
from schemas.anomaly import ANOMALY_VERSION, Anomaly, Transition, encode_anomaly
from schemas.health import HEALTH_VERSION, Health, Status, Zone, encode_health
from schemas.kafka import Kafka
from schemas.topics import ACTIONS, ANOMALIES, FRAMES, HEALTH, Topic
from serve.people import Role
from support.assess import robot
from support.serving import Serving, listening, serving

HERE, THERE = robot(1), robot(2)
NOW_US = 1_790_000_000_000_000


@pytest.fixture
async def server(topics: Kafka, database_url: str, tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(topics, database_url, tmp_path) as running:
        yield running


def health(code: str = HERE, time_us: int = NOW_US, status: Status = Status.OFF_SPEC) -> bytes:
    return encode_health(
        Health(
            v=HEALTH_VERSION, robot_id=code, time_us=time_us, last_seen_us=time_us, received_us=time_us,
            status=status, zone=Zone.C, mode="working", software="1", scenario="", components=[], open_episodes=0,
        )
    )  # fmt: skip


def anomaly(number: int = 1, code: str = HERE, **changes: Any) -> bytes:
    usual: dict[str, Any] = {
        "v": ANOMALY_VERSION, "robot_id": code, "episode_id": f"e{code}", "episode": 1, "number": number,
        "transition": Transition.OPENED, "rule": "limit", "rule_version": 1, "component": "joint/3",
        "signal": "joint_temperature_c", "status": Status.OFF_SPEC, "value": 96.0, "unit": "°C", "limit": 90.0,
        "first_us": NOW_US, "last_us": NOW_US, "count": 1, "live": True, "software": "1", "scenario": "",
        "text": "hot", "cause": f"limit|joint_temperature_c|above|{code[:12]}|1",
    }  # fmt: skip
    return encode_anomaly(Anomaly(**usual | changes))[0]


async def publish(kafka: Kafka, topic: Topic, *values: bytes, key: bytes = HERE.encode()) -> None:
    async with AIOKafkaProducer(**kafka.client()) as producer:
        for value in values:
            await producer.send_and_wait(topic.name, value, key=key)


async def test_a_page_hears_what_changes_and_goes_on_after_a_loss(server: Serving, topics: Kafka) -> None:
    async with await server.client(Role.VIEWER) as client:
        async with listening(client) as events:
            await events.next("hello")
            await publish(topics, HEALTH, health())
            _, changed = await events.next("status")
            assert (changed["status"], changed["zone"]) == ("2", "C")
            await publish(topics, ANOMALIES, anomaly())
            _, alarm = await events.next("alarm")
            assert (alarm["robot_id"], alarm["state"]) == (HERE, "unacknowledged_active")
            left_off = events.id
        await publish(topics, ANOMALIES, anomaly(2, transition=Transition.CLEARED, active=False))
        async with listening(client, **{"Last-Event-ID": left_off}) as events:
            _, alarm = await events.next("alarm")
            assert alarm["number"] == 2


async def test_a_stream_of_another_life_of_the_server_begins_anew(server: Serving) -> None:
    async with (
        await server.client(Role.VIEWER) as client,
        listening(client, **{"Last-Event-ID": "0000-7"}) as events,
    ):
        name, _ = await events.next("reset", "status", "alarm")
        assert name == "reset"


async def test_nobody_hears_of_robots_of_other_fleets(
    server: Serving, topics: Kafka, database: asyncpg.Connection
) -> None:
    await database.execute("INSERT INTO fleet_robots VALUES ('theirs', $1)", THERE)
    async with await server.client(Role.VIEWER, ["theirs"]) as client, listening(client) as events:
        await events.next("hello")
        await publish(topics, ANOMALIES, anomaly())
        await publish(topics, ANOMALIES, anomaly(code=THERE), key=THERE.encode())
        _, alarm = await events.next("alarm")
        assert alarm["robot_id"] == THERE


async def _land_episode(database: asyncpg.Connection, code: str, state: str = "unacknowledged_active") -> None:
    await database.execute("INSERT INTO robot VALUES ($1, now())", code)
    await database.execute(
        "INSERT INTO episode (episode_id, robot_id, episode, rule, rule_version, component, signal, about, status, "
        "state, active, chattering, parent, cause, opened, last_sign, transitions, count, live, unit, software, "
        "scenario, text, actor, note) VALUES ($1, $2, 1, 'limit', 1, 'joint/3', 'joint_temperature_c', 'machine', "
        "'OFF_SPEC', $3, true, false, '', '', now(), now(), 1, 1, true, '°C', '', '', 'hot', '', '')",
        f"e{code}", code, state,
    )  # fmt: skip


async def test_an_operators_deed_is_on_the_topic_in_their_name(
    server: Serving, topics: Kafka, database: asyncpg.Connection
) -> None:
    await _land_episode(database, HERE)
    await _land_episode(database, THERE, "acknowledged_active")
    wanted = {"kind": "acknowledge", "episodes": [f"e{HERE}", f"e{THERE}", "nothing"], "note": "seen"}
    async with await server.client(Role.OPERATOR) as client:
        answer = (await client.post("/actions", json=wanted)).raise_for_status().json()
    assert [sent["robot_id"] for sent in answer["sent"]] == [HERE]
    assert [refused["episode_id"] for refused in answer["refused"]] == [f"e{THERE}", "nothing"]
    consumer = AIOKafkaConsumer(ACTIONS.name, **topics.client(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await consumer.getone()
    finally:
        await consumer.stop()
    action = decode_action(record.value)
    assert record.key == HERE.encode()
    assert (action.kind, action.actor, action.note, action.episode_id) == (
        Kind.ACKNOWLEDGE, "a operator", "seen", f"e{HERE}",
    )  # fmt: skip


async def test_a_viewer_acts_on_nothing(server: Serving, database: asyncpg.Connection) -> None:
    await _land_episode(database, HERE)
    async with await server.client(Role.VIEWER) as client:
        answer = await client.post("/actions", json={"kind": "acknowledge", "episodes": [f"e{HERE}"]})
    assert answer.status_code == 403


async def test_a_reject_is_shown_as_far_as_it_goes_and_goes_again_as_it_came(
    server: Serving, topics: Kafka, database: asyncpg.Connection
) -> None:
    await database.execute(
        "INSERT INTO reject (topic, partition, record_offset, received, reason, detail, key, value) "
        "VALUES ($1, 0, 5, now(), 'undecodable', 'cut short', $2, $3)",
        FRAMES.name, HERE.encode(), b'{"v": 1, "robot',
    )  # fmt: skip
    async with await server.client(Role.ADMIN) as client:
        (line,) = (await client.get("/rejects")).raise_for_status().json()["rejects"]
        assert (line["content"]["encoding"], line["content"]["text"]) == ("json", '{"v": 1, "robot')
        wanted = {"places": [{"partition": 0, "record_offset": offset} for offset in (5, 6)]}
        answer = (await client.post("/rejects/redrive", json=wanted)).raise_for_status().json()
        assert answer == {"sent": 1, "unknown": 1}
        (line,) = (await client.get("/rejects")).json()["rejects"]
        assert line["redriven_by"] == "a admin"
    consumer = AIOKafkaConsumer(FRAMES.name, **topics.client(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await consumer.getone()
    finally:
        await consumer.stop()
    assert (record.key, record.value) == (HERE.encode(), b'{"v": 1, "robot')


async def test_rejects_are_listed_page_by_page(server: Serving, database: asyncpg.Connection) -> None:
    await database.executemany(
        "INSERT INTO reject (topic, partition, record_offset, received, reason, detail, value) "
        "VALUES ('telemetry.frames', 0, $1, now() - make_interval(secs => $2), 'undecodable', '', '')",
        [(number, number // 2) for number in range(7)],
    )
    async with await server.client(Role.ADMIN) as client:
        offsets, cursor = [], None
        while True:
            page = (
                await client.get("/rejects", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
            ).json()
            offsets += [line["record_offset"] for line in page["rejects"]]
            if (cursor := page["cursor"]) is None:
                break
    assert sorted(offsets) == list(range(7))
    assert len(offsets) == 7
