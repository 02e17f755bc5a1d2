"""`robovitals tail TOPIC`: print decoded messages as they arrive, a line of JSON each."""

import argparse
import asyncio
import sys
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.settings import Settings, endpoints
from deploy.topics import check
from schemas.errors import SettingError, UnavailableError
from schemas.kafka import Kafka
from schemas.readable import readable
from schemas.topics import TOPICS

EXAMPLE = "robovitals tail fleet.anomalies --last 10"

_NAMES = [topic.name for topic in TOPICS]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", help=f"one of {', '.join(_NAMES)}")
    parser.add_argument("--last", type=int, default=0, metavar="N", help="begin N messages back in each partition")
    parser.add_argument("--count", type=int, metavar="N", help="stop after N messages")
    parser.add_argument("--robot", metavar="CODE", help="only records with this key")


def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.topic not in _NAMES:
        raise SettingError(f"{args.topic!r} is not a topic of ours: {', '.join(_NAMES)}")
    asyncio.run(_tail(endpoints(settings).kafka, args))
    return 0


async def _tail(kafka: Kafka, args: argparse.Namespace) -> None:
    # Asked of an administrator's client: a consumer waits for ever for a topic that is not there.
    count = next(report.partitions for report in await check(kafka) if report.name == args.topic)
    if not count:
        raise UnavailableError(f"topic {args.topic} does not exist: `robovitals topics`")
    async with AIOKafkaConsumer(**kafka.client(), group_id=None, enable_auto_commit=False) as consumer:
        await _position(consumer, [TopicPartition(args.topic, number) for number in range(count)], args.last)
        printed = 0
        async for record in consumer:
            if args.robot and record.key != args.robot.encode():
                continue
            _print(record)
            printed += 1
            if printed == args.count:
                return


async def _position(consumer: AIOKafkaConsumer, partitions: list[TopicPartition], last: int) -> None:
    consumer.assign(partitions)
    first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    for partition in partitions:
        consumer.seek(partition, max(first[partition], end[partition] - last))


def _print(record: Any) -> None:
    place = {"partition": record.partition, "offset": record.offset, "timestamp_ms": record.timestamp}
    line = place | readable(record.topic, record.value)
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()
