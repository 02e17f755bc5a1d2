"""The way in from `telemetry.frames`: a group's consumer, which partitions are ours, and where they are taken up.

Called by `processors/summarise.py`, the one that reads. Where to begin is what the group has committed, offset and
metadata, held against what Kafka still has (`processors/resume.py`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from processors.group import GROUP, KAFKA_TIMEOUT_S, Group, asked
from processors.resume import taken_up
from processors.windows import Rule
from schemas.columns import Record
from schemas.errors import ContractError, RetryError, StopError, UnavailableError
from schemas.kafka import Kafka
from schemas.topics import FRAMES, MAX_RECORD_BYTES
from schemas.watermark import Resume, to_metadata

# After kill -9 a partition waits this long for another summariser, unless membership is static.
SESSION_TIMEOUT_S = 10.0
POLL_RECORDS = 4_000  # of one poll: some 20 ms in which nothing else of the process gets its turn
POLL_TIMEOUT_S = 0.2
# A fetch waits so long for so much: a fleet's frames would else come in ones and twos, and each cost a turn. What
# comes is of all partitions, and each makes a batch of its own: 0.2 ms, as much as 100 frames.
FETCH_WAIT_S = 0.05
FETCH_BYTES = 1024 * 1024

Checkpoint = tuple[int, Resume]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many records of a partition wait to be read, as of when Kafka last answered (UTC ms)."""

    lag_records: int
    polled_ms: int


class Inlet(ConsumerRebalanceListener):  # type: ignore[misc]
    """`unpositioned` are partitions that have been assigned and not taken up; `assignments` counts the changes.

    `leaving` is awaited before partitions are given up.
    """

    def __init__(
        self, kafka: Kafka, instance: str | None, group: Group, leaving: Callable[[], Awaitable[None]]
    ) -> None:
        self._kafka = kafka
        self._instance = instance
        self._group = group
        self._leaving = leaving
        self._consumer: AIOKafkaConsumer | None = None
        self._committed: dict[int, Checkpoint] = {}
        self.unpositioned: set[int] = set()
        self.assignments = 0

    async def open(self, stop: asyncio.Event) -> None:
        """Join the group, or give up at `stop`. Raises UnavailableError when Kafka cannot be used."""
        self._consumer = consumer = AIOKafkaConsumer(
            **self._kafka.client(),
            group_id=GROUP,
            group_instance_id=self._instance,
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=int(SESSION_TIMEOUT_S * 1000),
            heartbeat_interval_ms=int(SESSION_TIMEOUT_S * 1000 / 4),
            max_partition_fetch_bytes=2 * MAX_RECORD_BYTES,
            fetch_min_bytes=FETCH_BYTES,
            fetch_max_wait_ms=int(FETCH_WAIT_S * 1000),
        )
        consumer.subscribe([FRAMES.name], listener=self)
        starting, stopping = asyncio.create_task(consumer.start()), asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        (stopping if starting.done() else starting).cancel()
        try:
            await starting
        except asyncio.CancelledError:
            return
        except KafkaError as error:
            raise UnavailableError(
                f"Kafka at {self._kafka} cannot be used ({error!r}): `robovitals topics` creates what is "
                "missing, `robovitals doctor` looks further"
            ) from None

    async def close(self) -> None:
        """Leave the group."""
        if self._consumer is not None:
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._consumer.stop(), KAFKA_TIMEOUT_S)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """All of them: some may come back."""
        await self._leaving()
        self.assignments += 1
        self.unpositioned.clear()
        self._committed.clear()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """The loop takes them up; until then nothing of them is read."""
        self.assignments += 1
        self.unpositioned = {tp.partition for tp in assigned}
        if self._consumer is not None:
            self._consumer.pause(*(_tp(partition) for partition in self.unpositioned))

    async def take_up(self, rule: Rule) -> dict[int, tuple[int, Resume | None]]:
        """Where each partition begins that has been assigned, and go there. Empty where they changed meanwhile.

        Raises RetryError while Kafka does not answer, ContractError where it no longer has what comes next.
        """
        consumer, assignments = self._opened, self.assignments
        wanted = [_tp(partition) for partition in self.unpositioned]
        committed = await self._group.committed()
        beginnings = await asked(consumer.beginning_offsets(wanted))
        ends = await asked(consumer.end_offsets(wanted))
        if assignments != self.assignments:
            return {}
        places = {
            tp.partition: taken_up(
                f"{tp.topic} partition {tp.partition}",
                committed.get(tp.partition),
                beginnings[tp],
                ends[tp],
                rule,
            )
            for tp in wanted
        }
        for partition, (offset, _) in places.items():
            consumer.seek(_tp(partition), offset)
        consumer.resume(*wanted)
        self.unpositioned.clear()
        return places

    async def poll(self) -> dict[int, Sequence[Record]]:
        """Records by partition; nothing after POLL_TIMEOUT_S. Raises StopError where reading cannot go on."""
        try:
            polled = await self._opened.getmany(timeout_ms=int(1000 * POLL_TIMEOUT_S), max_records=POLL_RECORDS)
        except NoOffsetForPartitionError:
            return {}  # just assigned: the next turn seeks
        except OffsetOutOfRangeError as error:
            raise ContractError(f"Kafka no longer has the frames that come next: {error}") from None
        except KafkaError as error:
            if not error.retriable:
                twice = "; does another summariser have the same ROBOVITALS_INSTANCE?" if self._instance else ""
                raise StopError(f"Kafka says: {error!r}{twice}") from error
            _log.warning("Kafka says: %r", error)
            await asyncio.sleep(POLL_TIMEOUT_S)
            return {}
        return {tp.partition: records for tp, records in polled.items()}

    async def commit(self, checkpoints: Mapping[int, Checkpoint]) -> None:
        """Commit what has changed. One that fails is no harm: the next comes soon, or somebody else reads again."""
        changed = {p: checkpoint for p, checkpoint in checkpoints.items() if checkpoint != self._committed.get(p)}
        if not changed:
            return
        try:
            await asked(
                self._opened.commit({_tp(p): (offset, to_metadata(r)) for p, (offset, r) in changed.items()})
            )
        except RetryError as error:
            _log.info("not committed: %s", error)
            return
        self._committed |= changed

    async def standing(self, partition: int) -> Standing | None:
        """None until Kafka has answered for it."""
        consumer, tp = self._opened, _tp(partition)
        if tp not in consumer.assignment():
            return None
        highwater, polled_ms = consumer.highwater(tp), consumer.last_poll_timestamp(tp)
        if highwater is None or polled_ms is None:
            return None
        return Standing(max(0, highwater - await consumer.position(tp)), polled_ms)

    @property
    def _opened(self) -> AIOKafkaConsumer:
        assert self._consumer is not None, "open() first"
        return self._consumer


def _tp(partition: int) -> TopicPartition:
    return TopicPartition(FRAMES.name, partition)
