"""What a check asks Kafka: where logs end, how far a group has come, and all messages of a topic.

Called by `deploy/ledger/rest.py`, `check.py` and the fault rounds. Raises KafkaError while no broker answers.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.kafka import Kafka
from schemas.topics import Topic

Places = dict[tuple[str, int], int]


@asynccontextmanager
async def asking(kafka: Kafka, group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer for questions; with a group, that of whose offsets it asks. It joins nothing."""
    consumer = AIOKafkaConsumer(
        **kafka.client(), group_id=group, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def partitions(consumer: AIOKafkaConsumer, *topics: Topic) -> list[TopicPartition]:
    """All partitions of these topics; the consumer itself knows only of those that it has subscribed to."""
    cluster = await consumer._client.fetch_all_metadata()
    return [
        TopicPartition(topic.name, number)
        for topic in topics
        for number in sorted(cluster.partitions_for_topic(topic.name) or ())
    ]


async def ends(kafka: Kafka, *topics: Topic) -> Places:
    """The end of each partition's log."""
    async with asking(kafka) as consumer:
        found = await consumer.end_offsets(await partitions(consumer, *topics))
        return {(tp.topic, tp.partition): end for tp, end in found.items()}


async def committed(kafka: Kafka, group: str, topic: Topic) -> Places:
    """A group's offsets; 0 where it has none."""
    async with asking(kafka, group) as consumer:
        return {
            (tp.topic, tp.partition): await consumer.committed(tp) or 0 for tp in await partitions(consumer, topic)
        }


async def messages(kafka: Kafka, topic: Topic) -> list[Any]:
    """All records of a topic up to its present end."""
    async with asking(kafka) as consumer:
        own = await partitions(consumer, topic)
        consumer.assign(own)
        until = await consumer.end_offsets(own)
        found: list[Any] = []
        while any([await consumer.position(tp) < end for tp, end in until.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
        return found
