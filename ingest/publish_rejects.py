"""Rejects to `telemetry.rejects`, for whoever watches what a fleet sends wrong.

In: the rejects of a batch, before its transaction. Out: nothing; they are on the topic, at least once. Called by
`ingest/writer.py`.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.errors import RetryError
from schemas.kafka import Kafka
from schemas.reject import Reject, encode_reject
from schemas.topics import REJECTS

REQUEST_TIMEOUT_S = 10.0

# What a record has beside key and value: the other fields and the batch's header.
_ROOM_BYTES = REJECTS.max_message_bytes - 16 * 1024
_CUT_KEY_BYTES = 1024


class RejectPublisher:
    """Its producer lives from the first reject on; one that failed is replaced, since it may be stuck for good."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, rejects: Sequence[Reject]) -> None:
        """Publish all and wait until they are acknowledged. Raises RetryError."""
        try:
            producer = await self._started()
            sent = [
                await producer.send(REJECTS.name, encode_reject(reject), key=reject.key)
                for reject in map(fitting, rejects)
            ]
            await asyncio.wait_for(asyncio.gather(*sent), REQUEST_TIMEOUT_S)
        except (KafkaError, TimeoutError, OSError) as error:
            await self.close()
            raise RetryError(f"{REJECTS.name} does not take rejects: {error!r}") from error

    async def close(self) -> None:
        """Stop the producer."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # What it still held is published again by the next attempt.
            with suppress(KafkaError, TimeoutError, OSError):
                await asyncio.wait_for(producer.stop(), REQUEST_TIMEOUT_S)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._kafka.client(),
                enable_idempotence=True,
                compression_type="lz4",
                max_request_size=REJECTS.max_message_bytes,
                request_timeout_ms=int(REQUEST_TIMEOUT_S * 1000),
            )
            self._producer = producer
            await producer.start()
        return self._producer


def fitting(reject: Reject) -> Reject:
    """A record may be as large as its topic allows, which leaves no room for what a reject adds: the copy on the
    topic is cut, the row in the table stays whole."""
    if len(reject.value) + 2 * len(reject.key or b"") <= _ROOM_BYTES:
        return reject
    key = reject.key and reject.key[:_CUT_KEY_BYTES]
    value = reject.value[: _ROOM_BYTES - 2 * _CUT_KEY_BYTES]
    detail = f"{reject.detail} (cut: the value has {len(reject.value)} bytes)"
    return msgspec.structs.replace(reject, key=key, value=value, detail=detail)
