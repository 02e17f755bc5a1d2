"""What the database can take at most: ready COPY buffers of the preloaded frames, over one connection.

In: the topic. Out: `Buffers`, made before anything is measured; and how fast they go in. Called by `bench land`.
The bytes are those of the product's own encoder, so the rows are the lander's, in transactions as large as its own.
"""

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from confluent_kafka import Consumer, Message, TopicPartition

from deploy.bench.broker import client
from deploy.bench.preload import Preloaded
from deploy.bench.stand import Stand
from deploy.bench.steady import Rate, Steady
from ingest.batch import FrameContent, make_batch
from ingest.copy import HEADER, TRAILER
from ingest.rows import Rows
from schemas.errors import UnavailableError
from schemas.topics import FRAMES

ROWS = 8_000  # a transaction: a full batch of the lander
CLIENT = "client"
_READ_WITHIN_S = 10.0


@dataclass(slots=True)
class Record:
    """As `ingest.batch` wants it."""

    key: bytes | None
    value: bytes | None
    offset: int
    timestamp: int
    partition: int
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True, slots=True)
class Buffers:
    batches: list[Rows]
    frames: int


def buffers(stand: Stand, preloaded: Preloaded) -> Buffers:
    """Raises UnavailableError where the topic does not hold what was preloaded."""
    consumer = Consumer({**client(stand.endpoints.kafka), "group.id": "robovitals.bench"})
    firsts = {partition: first for partition, (first, _) in preloaded.spans.items()}
    consumer.assign([TopicPartition(FRAMES.name, partition, first) for partition, first in firsts.items()])
    batches, frames = [], 0
    try:
        while frames < preloaded.frames:
            records = [_record(message) for message in consumer.consume(ROWS, _READ_WITHIN_S)]
            content = make_batch(FRAMES.name, records, firsts).content if records else None
            if not isinstance(content, FrameContent) or content.rows.count != len(records):
                raise UnavailableError(f"{FRAMES.name} does not hold the frames that were sent: run it again")
            batches.append(content.rows)
            frames += len(records)
    finally:
        consumer.close()
    return Buffers(batches, frames)


async def copy_in(stand: Stand, ready: Buffers) -> Rate:
    steady = Steady(ready.frames, {CLIENT: os.getpid(), **stand.server_pids})
    connection = await asyncpg.connect(stand.endpoints.database_url)
    try:
        done = 0
        for rows in ready.batches:
            async with connection.transaction():
                source, columns = _pieces(rows), rows.columns
                await connection.copy_to_table("frame", source=source, columns=columns, format="binary")
            done += rows.count
            steady.see(done)
    finally:
        await connection.close()
    return steady.rate


async def _pieces(rows: Rows) -> AsyncIterator[Any]:
    yield HEADER
    for block in rows.blocks:
        yield block
    yield TRAILER


def _record(message: Message) -> Record:
    offset, partition = message.offset(), message.partition()
    assert offset is not None
    assert partition is not None
    return Record(message.key(), message.value(), offset, message.timestamp()[1], partition)
