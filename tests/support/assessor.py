"""The assessor on a real Kafka: what it reads is published by hand, and what it told is read back."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import murmur2
from prometheus_client import CollectorRegistry

from processors.assess import Assess, AssessSettings
from processors.assess_metrics import AssessMetrics
from schemas.anomaly import Anomaly, decode_anomaly
from schemas.health import Health, decode_health
from schemas.kafka import Kafka
from schemas.limits import Limits
from schemas.topics import (
    ANOMALIES,
    ASSESSOR_APP,
    DEFAULT_PARTITIONS,
    HEALTH,
    VITALS,
    Topic,
    shard_key,
    shard_of,
)
from schemas.vitals import Crossing, Message, Pulse, Vitals, encode_vitals
from support.assess import Readings, window

SILENCE_US = 30_000_000
Addressed = tuple[int, bytes, bytes]
"""Partition, key and value."""


def partition_of(code: str) -> int:
    """Where a producer puts a robot's records."""
    return int((murmur2(code.encode()) & 0x7FFFFFFF) % DEFAULT_PARTITIONS)


def addressed(code: str, message: Message) -> Addressed:
    partition = partition_of(code)
    if isinstance(message, Vitals):
        message.shard = shard_of(code)
    return partition, shard_key(partition, shard_of(code)), encode_vitals(message)


def windows(code: str, temperatures: Iterable[float], first: int = 0) -> list[Addressed]:
    readings: list[Readings] = [{"joint_temperature_c": [t], "battery_soh": 0.95} for t in temperatures]
    return [addressed(code, window({code: r}, number)) for number, r in enumerate(readings, start=first)]


def crossing(code: str, time_us: int) -> Addressed:
    crossed = Crossing(
        v=1, robot_id=code, boot_id=1, seq=5, time_us=time_us, received_us=time_us, signal="joint_temperature_c",
        joint=1, side="above", value=95.5, limit=90.0, software="1.0", scenario="factory_line",
    )  # fmt: skip
    return addressed(code, crossed)


def pulses(now_us: int) -> list[Addressed]:
    """To each partition, the last at `now_us`: enough before it that somebody has listened for a while."""
    return [
        (
            partition,
            b"",
            encode_vitals(Pulse(v=1, partition=partition, now_us=now_us - 10_000_000 * ago, watermark_us=0)),
        )
        for ago in range(5, -1, -1)
        for partition in range(DEFAULT_PARTITIONS)
    ]


async def publish(kafka: Kafka, messages: Iterable[Addressed]) -> None:
    async with AIOKafkaProducer(**kafka.client()) as producer:
        for partition, key, value in messages:
            await producer.send(VITALS.name, value, key=key, partition=partition)
        await producer.flush()


async def records(kafka: Kafka, topic: Topic) -> list[Any]:
    """All records of a topic, in the order of their partitions."""
    async with AIOKafkaConsumer(**kafka.client()) as consumer:
        partitions = [TopicPartition(topic.name, number) for number in range(DEFAULT_PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += batch
    return sorted(found, key=lambda record: (record.partition, record.offset))


async def all_assessed(kafka: Kafka) -> None:
    """Wait until the assessor has committed the end of every partition."""
    partitions = [TopicPartition(VITALS.name, number) for number in range(DEFAULT_PARTITIONS)]
    async with AIOKafkaConsumer(**kafka.client(), group_id=ASSESSOR_APP, enable_auto_commit=False) as consumer:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        while any([(await consumer.committed(partition) or 0) < end for partition, end in ends.items()]):
            await asyncio.sleep(0.05)


async def told(kafka: Kafka) -> tuple[list[Anomaly], dict[str, Health]]:
    """Every anomaly in order, and the last health of each robot."""
    anomalies = [decode_anomaly(record.value) for record in await records(kafka, ANOMALIES)]
    healths = [decode_health(record.value) for record in await records(kafka, HEALTH)]
    return anomalies, {health.robot_id: health for health in healths}


@asynccontextmanager
async def assessing(kafka: Kafka, directory: Path, instance: str = "test") -> AsyncIterator[AssessMetrics]:
    """An assessor in this process, stopped in order at the end."""
    metrics = AssessMetrics.create(CollectorRegistry())
    stop = asyncio.Event()
    running = asyncio.create_task(
        Assess(AssessSettings(kafka, directory, instance, SILENCE_US, Limits()), metrics).run(stop)
    )
    try:
        yield metrics
    finally:
        stop.set()
        await running


async def assessed(kafka: Kafka, directory: Path, messages: Iterable[Addressed]) -> AssessMetrics:
    """Publish, assess all of it, stop."""
    await publish(kafka, messages)
    async with assessing(kafka, directory) as metrics:
        await all_assessed(kafka)
    return metrics
