"""Creates every topic of `schemas/topics.py` and says where an existing one differs.

In: a broker's address. Out: a report a topic. Called by `robovitals topics`, `robovitals up` and the tests. An
existing topic is never changed by itself: partitions decide which shard a robot is in, retention what is lost.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code

from deploy.kafka_access import said
from schemas.errors import StopError, UnavailableError
from schemas.kafka import Kafka
from schemas.topics import DEFAULT_PARTITIONS, TOPICS, Topic


class TopicReport(msgspec.Struct, frozen=True):
    """What was found or done. `differences` has a line for each setting that is not as it should be."""

    name: str
    partitions: int
    created: bool
    differences: list[str]


async def ensure(kafka: Kafka, partitions: int = DEFAULT_PARTITIONS, replication: int = 1) -> list[TopicReport]:
    """Create what is missing, check what is there. Raises UnavailableError when no broker answers.

    A fleet that exists keeps its number of partitions: `partitions` counts only for the first creation.
    """
    async with _admin(kafka) as admin:
        existing = set(await admin.list_topics())
        fleet = await _fleet_partitions(admin, existing) or partitions
        missing = [topic for topic in TOPICS if topic.name not in existing]
        await _create(admin, missing, fleet, replication)
        found = await _describe(admin)
        return [_report(topic, topic in missing, found, fleet) for topic in TOPICS]


async def check(kafka: Kafka) -> list[TopicReport]:
    """Check only; a missing topic is a difference."""
    async with _admin(kafka) as admin:
        fleet = await _fleet_partitions(admin, set(await admin.list_topics())) or DEFAULT_PARTITIONS
        found = await _describe(admin)
        return [_report(topic, False, found, fleet) for topic in TOPICS]


async def delete_all(kafka: Kafka) -> None:
    """Delete every topic of ours, and wait until they are gone. For tests and for starting afresh."""
    ours = {topic.name for topic in TOPICS}
    async with _admin(kafka) as admin:
        existing = ours & set(await admin.list_topics())
        if existing:
            await admin.delete_topics(sorted(existing))
        while ours & set(await admin.list_topics()):
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _admin(kafka: Kafka) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(**kafka.client(), client_id="robovitals.topics")
    try:
        await admin.start()
    except KafkaConnectionError:
        await admin.close()
        raise UnavailableError(
            await said(kafka) or f"Kafka at {kafka} did not answer, and does now: again"
        ) from None
    try:
        yield admin
    except KafkaError as error:
        raise StopError(f"Kafka at {kafka} refused: {error}") from error
    finally:
        await admin.close()


async def _fleet_partitions(admin: AIOKafkaAdminClient, existing: set[str]) -> int | None:
    fleet = [topic.name for topic in TOPICS if topic.per_fleet and topic.name in existing]
    if not fleet:
        return None
    described = await admin.describe_topics(fleet[:1])
    return len(described[0]["partitions"])


async def _create(admin: AIOKafkaAdminClient, topics: list[Topic], fleet: int, replication: int) -> None:
    if not topics:
        return
    response = await admin.create_topics(
        [
            NewTopic(topic.name, fleet if topic.per_fleet else 1, replication, topic_configs=topic.config())
            for topic in topics
        ]
    )
    for name, code, *detail in response.topic_errors:
        error = for_code(code)
        if code and error.__name__ != "TopicAlreadyExistsError":
            raise StopError(f"topic {name} could not be created: {error.__name__} {detail[0] if detail else ''}")
    # Leaders are elected a moment after creation; until then a producer would wait and retry.
    while {t.name for t in topics} - set(await _describe(admin)):
        await asyncio.sleep(0.05)


async def _describe(admin: AIOKafkaAdminClient) -> dict[str, tuple[int, Mapping[str, str]]]:
    """Each existing topic of ours that has leaders: its number of partitions and its settings."""
    existing = sorted({topic.name for topic in TOPICS} & set(await admin.list_topics()))
    if not existing:
        return {}
    described = await admin.describe_topics(existing)
    counts = {
        d["topic"]: len(d["partitions"])
        for d in described
        if not d["error_code"] and d["partitions"] and all(p["leader"] >= 0 for p in d["partitions"])
    }
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in counts]
    settings: dict[str, Mapping[str, str]] = {}
    for response in await admin.describe_configs(resources) if resources else []:
        for _code, _message, _type, name, entries in response.resources:
            settings[name] = {entry[0]: entry[1] for entry in entries}
    return {name: (counts[name], settings.get(name, {})) for name in counts}


def _report(
    topic: Topic, created: bool, found: Mapping[str, tuple[int, Mapping[str, str]]], fleet: int
) -> TopicReport:
    if topic.name not in found:
        return TopicReport(topic.name, 0, created, ["does not exist"])
    count, settings = found[topic.name]
    wanted = fleet if topic.per_fleet else 1
    differences = [f"partitions is {count}, should be {wanted}"] if count != wanted else []
    differences += [
        f"{name} is {settings.get(name)}, should be {value}"
        for name, value in topic.config().items()
        if settings.get(name) != value
    ]
    return TopicReport(topic.name, count, created, differences)
