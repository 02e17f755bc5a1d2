"""A flood through the real assessor: windows of a thousand robots in, a handful of alarms that call anybody out."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry

from processors.assess import Assess, AssessSettings
from processors.assess_metrics import AssessMetrics
from processors.forward_actions import partition_of
from schemas.anomaly import FLEET, Anomaly, Transition, decode_anomaly
from schemas.kafka import Kafka
from schemas.limits import Limits
from schemas.topics import ANOMALIES, DEFAULT_PARTITIONS, VITALS, shard_key, shard_of
from schemas.vitals import encode_vitals
from support.assess import Readings, robot, window
from support.pipeline import Pipeline, pipeline

ROBOTS = 1000
WITHIN_S = 60
WELL: Readings = {
    "joint_temperature_c": [40.0, 41.0],
    "joint_backlash_arcmin": [1.0, 1.0],
    "battery_temperature_c": 25.0,
    "battery_cell_spread_mv": 10.0,
}
HOT: Readings = {**WELL, "joint_temperature_c": [95.0, 41.0]}
SICK: Readings = {
    "joint_temperature_c": [95.0, 96.0],
    "joint_backlash_arcmin": [9.0, 1.0],
    "battery_temperature_c": 65.0,
    "battery_cell_spread_mv": 150.0,
}


async def publish(kafka: Kafka, number: int, fleet: dict[str, Readings], software: str) -> None:
    """The n-th window of all robots, a message a shard."""
    shards: dict[tuple[int, int], dict[str, Readings]] = defaultdict(dict)
    for code, readings in fleet.items():
        shards[partition_of(code, DEFAULT_PARTITIONS), shard_of(code)][code] = readings
    async with AIOKafkaProducer(**kafka.client(), linger_ms=5) as producer:
        for (partition, shard), robots in shards.items():
            vitals = window(robots, number, software=software)
            vitals.shard = shard
            key = shard_key(partition, shard)
            await producer.send(VITALS.name, encode_vitals(vitals), key=key, partition=partition)
        await producer.flush()


async def anomalies(kafka: Kafka) -> list[Anomaly]:
    """All that was told, each transition once, in the order of each robot."""
    async with AIOKafkaConsumer(**kafka.client()) as consumer:
        partitions = [TopicPartition(ANOMALIES.name, number) for number in range(DEFAULT_PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: dict[str, Anomaly] = {}
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found |= {a.id: a for a in map(decode_anomaly, (record.value for record in records))}
    return list(found.values())


def calling(told: Iterable[Anomaly]) -> list[Anomaly]:
    """Of each episode its last transition, where that is on somebody's list and nobody speaks for it."""
    last: dict[str, Anomaly] = {}
    for anomaly in told:
        if anomaly.episode_id not in last or last[anomaly.episode_id].number < anomaly.number:
            last[anomaly.episode_id] = anomaly
    return [a for a in last.values() if a.active and not a.is_muted]


async def until_calling(kafka: Kafka, most: int, episodes: int) -> list[Anomaly]:
    """Wait until there are so many episodes, of which no more than that call."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            told = await anomalies(kafka)
            opened = {a.episode_id for a in told if a.transition is Transition.OPENED and a.robot_id != FLEET}
            if len(opened) >= episodes and len(calling(told)) <= most:
                return told
            await asyncio.sleep(0.3)


class Assessing:
    """The assessor in this process."""

    def __init__(self, kafka: Kafka, directory: Path) -> None:
        self.metrics = AssessMetrics.create(CollectorRegistry())
        settings = AssessSettings(kafka, directory, "test", 30_000_000, Limits())
        self._assess = Assess(settings, self.metrics)
        self._stop = asyncio.Event()

    async def __aenter__(self) -> "Assessing":
        self._running = asyncio.create_task(self._assess.run(self._stop))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await self._running


async def test_a_thousand_robots_overheat_and_one_alarm_calls_until_they_cool(
    topics: Kafka, tmp_path: Path
) -> None:
    codes = [robot(number, f"MODEL{number % 4}") for number in range(ROBOTS)]
    async with Assessing(topics, tmp_path) as assessing:
        await publish(topics, 0, dict.fromkeys(codes, WELL), "1.0")
        await publish(topics, 1, dict.fromkeys(codes, HOT), "1.0")
        told = await until_calling(topics, 1, ROBOTS)
        (parent,) = calling(told)
        assert parent.robot_id == FLEET
        assert " robots with software 1.0: temperature above its limit" in parent.text
        assert {a.parent for a in told if a.transition is Transition.ADOPTED} == {parent.episode_id}
        for number in (2, 3, 4):
            await publish(topics, number, dict.fromkeys(codes, WELL), "1.0")
        told = await until_calling(topics, 0, ROBOTS)
    cleared = [a for a in told if a.transition is Transition.CLEARED]
    assert len(cleared) == ROBOTS + 1
    assert {a.state.value for a in cleared if a.robot_id != FLEET} == {"normal"}, "the parent spoke for them"
    assert assessing.metrics.groups.calls._value.get() <= 1


async def test_a_bad_release_upsets_four_signals_of_a_thousand_robots_and_at_most_five_alarms_call(
    topics: Kafka, tmp_path: Path
) -> None:
    codes = [robot(number) for number in range(ROBOTS)]
    async with Assessing(topics, tmp_path) as assessing:
        await publish(topics, 0, dict.fromkeys(codes, WELL), "4.2.0")
        await publish(topics, 1, dict.fromkeys(codes, SICK), "4.2.1")
        told = await until_calling(topics, 5, 5 * ROBOTS)
    found = calling(told)
    print(f"{5 * ROBOTS} episodes of {ROBOTS} robots, {len(found)} call: {[a.text for a in found]}")
    assert {a.robot_id for a in found} == {FLEET}
    assert {a.software for a in found} == {"4.2.1"}
    assert assessing.metrics.groups.calls._value.get() <= 5


def test_an_operator_sees_one_line_for_a_flood_and_answers_it(
    topics: Kafka, database_url: str, tmp_path: Path
) -> None:
    codes = [robot(number) for number in range(60)]
    with pipeline(tmp_path, topics, database_url, ROBOVITALS_INSTANCE="test") as running:
        running.start("land")
        running.start("assess")
        asyncio.run(publish(topics, 0, dict.fromkeys(codes, HOT), "1.0"))
        asyncio.run(until_calling(topics, 1, len(codes)))
        while (counts := _alarms(running))["counts"].get("muted") != len(codes):
            pass
        (line,) = counts["alarms"]
        assert (line["robot_id"], line["state"]) == (FLEET, "unacknowledged_active")
        done = running.command("act", "acknowledge", FLEET, "--note", "the hall is hot", "--actor", "Ada")
        assert (done.returncode, done.stderr) == (0, "")
        told = "fleet  acknowledged active  Acknowledged by Ada: the hall is hot. 60 robots of "
        assert done.stdout.startswith(told)
        assert _alarms(running)["counts"] == {"acknowledged_active": 1, "muted": len(codes)}
        rejected = 'rejected_total{reason="bad_code"} 0.0'
        assert running.metrics("assess").count(rejected) == 2, "assessor and grouping"
        assert running.stop() == {"assess": 0, "land": 0}


def _alarms(pipeline: Pipeline) -> Any:
    return msgspec.json.decode(pipeline.command("alarms", "--json").stdout)
