"""Where the live stream begins to listen, and whether it hears."""

from typing import Any

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndTimestamp
from prometheus_client import CollectorRegistry

from schemas.topics import ANOMALIES, HEALTH
from serve.context import Context
from serve.live import DEAF_AFTER_S, Live
from serve.metrics import ServeMetrics

FIRST, SECOND, THIRD = (TopicPartition(HEALTH.name, number) for number in range(3))
ALARMS = TopicPartition(ANOMALIES.name, 0)


class _Consumer:
    """Logs of offsets 10 to 100, at 80 two minutes ago; in the third partition nothing has come since."""

    def __init__(self) -> None:
        self.sought: dict[TopicPartition, int] = {}
        self.answered_ms: dict[TopicPartition, int | None] = dict.fromkeys(self.assignment(), 1_000_000)

    def assignment(self) -> set[TopicPartition]:
        return {FIRST, SECOND, THIRD, ALARMS}

    async def offsets_for_times(self, times: dict[TopicPartition, int]) -> dict[TopicPartition, Any]:
        return {at: None if at == THIRD else OffsetAndTimestamp(80, 0) for at in times}

    async def beginning_offsets(self, partitions: set[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 10)

    async def end_offsets(self, partitions: set[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 100)

    def last_poll_timestamp(self, partition: TopicPartition) -> int | None:
        return self.answered_ms[partition]

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought[partition] = offset


def test_a_broker_that_is_away_is_no_error_and_yet_not_heard() -> None:
    now_s = [1000.0]
    live: Any = Live("", Context("", ServeMetrics.create(CollectorRegistry())), lambda: now_s[0])
    consumer = _Consumer()
    consumer.answered_ms[SECOND] = None
    live.heard_s = live._heard_s(consumer)
    assert live.not_ready() is not None, "it was never heard"
    consumer.answered_ms[SECOND] = 1_000_000
    live.heard_s = live._heard_s(consumer)
    assert live.not_ready() is None
    now_s[0] += DEAF_AFTER_S
    consumer.answered_ms |= {FIRST: 1_010_000, SECOND: 1_010_000, ALARMS: 1_010_000}
    live.heard_s = live._heard_s(consumer)
    assert live.not_ready() is not None, "the others answer"


async def test_what_a_lander_that_is_behind_has_not_landed_is_heard() -> None:
    live: Any = Live("", Context("", ServeMetrics.create(CollectorRegistry())))
    consumer = _Consumer()
    await live._position(consumer, {HEALTH.name: {0: 40, 1: 95, 2: 3}, ANOMALIES.name: {}})
    assert consumer.sought == {FIRST: 40, SECOND: 80, THIRD: 10, ALARMS: 80}
