"""Link: one connection of a robot to Kafka, from its beginning to the first thing that goes wrong.

In: encoded frames, each with its id in the spool. Out: what was acknowledged and when, and at the end why it
ended: a `Failure`. Called by `uplink.py`, which makes a new one. It never mends itself: an idempotent producer that
has failed once answers OutOfOrderSequence for ever (aiokafka #1017), and its own retries do 10 attempts a second,
which a whole fleet must not do together.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    IllegalSaslStateError,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
)

from ingest.access import Reason, refusal
from ingest.agent.clocks import mono_us, wall_us
from ingest.agent.config_file import Setup
from ingest.publish import COMPRESSION, LINGER_MS
from ingest.throttle import Throttle
from schemas import seal
from schemas.topics import FRAMES, MAX_RECORD_BYTES

BATCH_BYTES = 128 * 1024
REQUEST_TIMEOUT_MS = 15_000
CLOSE_WITHIN_S = 2.0

_REFUSED = (
    AuthenticationFailedError, ClusterAuthorizationFailedError, IllegalSaslStateError, SaslAuthenticationFailed,
    TopicAuthorizationFailedError, UnknownTopicOrPartitionError, UnsupportedSaslMechanismError,
)  # fmt: skip
_UNFIT = (MessageSizeTooLargeError, InvalidTimestampError)


class Kind(StrEnum):
    """UNREACHABLE and BROKEN: soon again. REFUSED: somebody must do something. UNFIT: a frame is at fault."""

    UNREACHABLE = "unreachable"
    BROKEN = "broken"
    REFUSED = "refused"
    UNFIT = "unfit"


class Failure(Exception):  # noqa: N818 - it is what happened, not a fault of the program
    """Why a link ended. The text is for people."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Acknowledgement(msgspec.Struct, frozen=True, gc=False):
    """When it was handed over and answered, by the monotonic clock; when it was taken, by the broker's."""

    id: int
    sent_mono_us: int
    acked_mono_us: int
    broker_us: int


class Link:
    """`await link.open()`, `await link.send(…)` as often as `failure` is None, `await link.close()`.

    `acknowledged` is called in the loop with each acknowledgement, `happened` whenever there is something to see.
    """

    def __init__(
        self,
        setup: Setup,
        acknowledged: Callable[[Acknowledgement], None],
        happened: Callable[[], None],
        throttle: Throttle,
    ) -> None:
        self._setup = setup
        self._key = setup.robot_id.encode()
        self._acknowledged = acknowledged
        self._happened = happened
        self._throttle = throttle
        self._producer: Any = None
        self._sent_us: dict[int, int] = {}  # under way: id → when it was handed over, by the monotonic clock
        self.failure: Failure | None = None

    @property
    def under_way(self) -> int:
        return len(self._sent_us)

    def ids_under_way(self) -> set[int]:
        return set(self._sent_us)

    def waits_since_us(self) -> int | None:
        """Since when the oldest frame under way waits, by the monotonic clock."""
        return next(iter(self._sent_us.values()), None)

    async def open(self) -> None:
        """Log in, and see that there is a topic for us. Raises Failure for what may pass: a broker that is away or
        refuses us, a network or name service that fails, TLS that does not come about. Nothing else is caught."""
        self._producer = producer = AIOKafkaProducer(
            enable_idempotence=True,
            compression_type=COMPRESSION,
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_RECORD_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            client_id="robovitals.agent",
            **self._setup.kafka.client(),
        )
        self._throttle.watch(producer)
        producer.client.send = self._watched(producer.client.send)
        try:
            async with asyncio.timeout(2 * REQUEST_TIMEOUT_MS / 1000):
                await producer.start()
                await producer.partitions_for(FRAMES.name)
        except (KafkaError, OSError, EOFError) as error:
            raise await self._why_not(error) from None

    async def send(self, id: int, value: bytes) -> None:
        """Hand one over; it waits only where a batch is full. Raises Failure."""
        sent_wall_us, sent_mono_us = wall_us(), mono_us()
        self._sent_us[id] = sent_mono_us
        headers = self._headers(value, sent_wall_us)
        try:
            sent = await self._producer.send(FRAMES.name, value, self._key, headers=headers)
        except KafkaError as error:
            raise self._told(error) from None
        sent.add_done_callback(lambda done: self._settled(done, id, sent_mono_us))

    async def close(self) -> None:
        """End it, whatever the broker does meanwhile; what is under way is not waited for."""
        if self._producer is not None:
            await _abandon(self._producer)

    def fail(self, failure: Failure) -> None:
        """The first failure counts."""
        self.failure = self.failure or failure
        self._happened()

    def _headers(self, value: bytes, sealed_us: int) -> list[tuple[str, bytes]]:
        """Sealed anew at each attempt: a copy of the record is told by its age."""
        of = self._setup
        if not of.seal_key:
            return []
        return [(seal.HEADER, seal.seal(of.seal_key, of.seal_key_version, of.robot_id, sealed_us, value))]

    def _settled(self, done: "asyncio.Future[Any]", id: int, sent_mono_us: int) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            self.fail(self._told(error))
            return
        self._sent_us.pop(id, None)
        self._acknowledged(Acknowledgement(id, sent_mono_us, mono_us(), 1000 * int(done.result().timestamp)))

    def _watched(self, send: Callable[..., Any]) -> Callable[..., Any]:
        """aiokafka's way to a broker, observed: what fails it tries again for ever, and tells nobody."""

        async def watched(node: int, request: Any, **options: Any) -> Any:
            try:
                return await send(node, request, **options)
            except KafkaError as error:
                self.fail(self._told(error))
                raise

        return watched

    async def _why_not(self, error: BaseException) -> Failure:
        """aiokafka says only that it could not begin: a setting that is wrong is asked for."""
        told = self._told(error)
        if told.kind is Kind.UNREACHABLE:
            refused = await refusal(self._setup.kafka)
            if refused is not None and refused.reason is not Reason.AWAY:
                return Failure(
                    Kind.REFUSED, f"Kafka at {refused.server}: {refused.reason.value} ({refused.detail:.100})"
                )
        return told

    def _told(self, error: BaseException) -> Failure:
        """The driver's error as one of ours: what it means, and what to do about it."""
        where = self._setup.kafka
        if isinstance(error, UnknownTopicOrPartitionError):
            return Failure(Kind.REFUSED, f"Kafka at {where} has no topic {FRAMES.name}, or does not show it to us")
        if isinstance(error, _REFUSED):
            return Failure(Kind.REFUSED, f"Kafka at {where} refuses {self._who}: {type(error).__name__}")
        if isinstance(error, _UNFIT):
            return Failure(Kind.UNFIT, f"Kafka does not take a frame: {type(error).__name__}")
        if isinstance(error, TimeoutError):
            return Failure(Kind.UNREACHABLE, f"Kafka at {where} does not answer")
        if isinstance(error, OSError | EOFError) or (isinstance(error, KafkaError) and error.retriable):
            return Failure(Kind.UNREACHABLE, f"Kafka at {where}: {error!s:.120}")
        return Failure(Kind.BROKEN, f"Kafka at {where}: {error!r:.160}")

    @property
    def _who(self) -> str:
        return f"user {self._setup.kafka.user}" if self._setup.kafka.user else "us"


async def _abandon(producer: Any) -> None:
    """End a producer with nothing flushed. Its own `stop` waits for acknowledgements that may never come, and
    leaves its tasks behind when it is cancelled."""
    sender = producer._sender.sender_task
    while sender is not None and not sender.done():
        sender.cancel()  # once for its loop, and once for each request that it then waits for
        await asyncio.wait({sender}, timeout=0.05)
    producer._closed = True
    with suppress(TimeoutError, KafkaError, OSError):
        await asyncio.wait_for(producer.client.close(), CLOSE_WITHIN_S)
