"""Batches for a `Landing`, and where it stands."""

from collections.abc import Sequence

import asyncpg

from ingest.batch import Batch, make_batch
from schemas.frame import Frame
from schemas.topics import FRAMES
from support.frames import FakeRecord, record


def frames_batch(*frames: Frame | bytes, first: int = 0, partition: int = 0) -> Batch:
    records = [record(f, offset=first + i, partition=partition) for i, f in enumerate(frames)]
    return make_batch(FRAMES.name, records, {partition: first})


def values_batch(topic: str, values: Sequence[bytes], first: int = 0) -> Batch:
    return make_batch(
        topic, [FakeRecord(b"", value, offset=first + i) for i, value in enumerate(values)], {0: first}
    )


async def next_offset(database: asyncpg.Connection, topic: str = FRAMES.name, partition: int = 0) -> int:
    return await database.fetchval(
        "SELECT next_offset FROM landed WHERE topic = $1 AND partition = $2", topic, partition
    )
