"""What the benchmarks ask of Kafka, and what they make it forget between two rounds.

In: a broker's address. Out: offsets, whether a group has settled; emptied topics and groups. Called by the
benchmarks. It destroys what is there; `stand.py` has made sure that it is nobody's.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupState, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy import topics
from schemas.errors import UnavailableError
from schemas.kafka import Kafka
from schemas.topics import FRAMES, TOPICS, Topic

TIMEOUT_S = 10.0
LOG_LEVEL = 2
DERIVED = tuple(topic for topic in TOPICS if topic != FRAMES)
GROUPS = ("robovitals.summarise", "robovitals.assess")
"""Those that begin where they committed."""
_GONE = (KafkaError.GROUP_ID_NOT_FOUND, KafkaError.UNKNOWN_TOPIC_OR_PART)
_NO_LEADER_YET = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
_FREE_WITHIN_S = 30.0  # a group is not empty until its members' sessions have timed out


def client(kafka: Kafka) -> dict[str, Any]:
    """What every client of librdkafka's is given, or it says on stderr when it tries again or a server stops."""
    return {**kafka.librdkafka(), "log_level": LOG_LEVEL}


def watermarks(kafka: Kafka, topic: str) -> dict[int, tuple[int, int]]:
    """Of each partition its first offset and the one after its last; empty where there is no such topic."""
    consumer, until_s = (
        Consumer({**client(kafka), "group.id": "robovitals.bench"}),
        time.monotonic() + TIMEOUT_S,
    )
    try:
        while True:
            try:
                return _watermarks(consumer, topic)
            except KafkaException as error:
                if time.monotonic() > until_s or error.args[0].code() not in _NO_LEADER_YET:
                    raise
            time.sleep(0.1)
    except KafkaException as error:
        raise UnavailableError(f"Kafka at {kafka} does not answer ({error}): `robovitals doctor`") from None
    finally:
        consumer.close()


def _watermarks(consumer: Consumer, topic: str) -> dict[int, tuple[int, int]]:
    found = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions
    places = (TopicPartition(topic, partition) for partition in found)
    return {place.partition: consumer.get_watermark_offsets(place, timeout=TIMEOUT_S) for place in places}


def settled(kafka: Kafka, group: str, members: int) -> Callable[[], bool]:
    """Asks whether the group has so many members, and its partitions are shared out among them."""
    admin = AdminClient(client(kafka))

    def ask() -> bool:
        [answer] = admin.describe_consumer_groups([group]).values()
        try:
            found = answer.result(TIMEOUT_S)
        except KafkaException:
            return False  # there is none yet, or its coordinator is busy
        assigned = [member for member in found.members if member.assignment.topic_partitions]
        return bool(found.state == ConsumerGroupState.STABLE) and len(assigned) == members

    return ask


def empty_topics(kafka: Kafka, emptied: Sequence[Topic] = DERIVED) -> None:
    """Make topics anew, and forget what the groups have read."""
    admin = AdminClient(client(kafka))
    names = [topic.name for topic in emptied]
    _settle(admin.delete_topics(names))
    while set(names) & set(admin.list_topics(timeout=TIMEOUT_S).topics):
        time.sleep(0.05)
    asyncio.run(topics.ensure(kafka))
    forget_groups(kafka)


def forget_groups(kafka: Kafka, groups: Sequence[str] = GROUPS) -> None:
    """What they have committed. Raises UnavailableError where a group has members that do not go."""
    admin, until_s = AdminClient(client(kafka)), time.monotonic() + _FREE_WITHIN_S
    while True:
        try:
            _settle(admin.delete_consumer_groups(list(groups)))
            return
        except UnavailableError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.2)


def _settle(answers: Mapping[str, Any]) -> None:
    """What is not there need not be deleted."""
    for name, answer in answers.items():
        try:
            answer.result(TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() not in _GONE:
                raise UnavailableError(f"Kafka does not delete {name}: {error}") from None
