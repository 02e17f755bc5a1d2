"""Logbooks of tests as records of their topic, and as the database has them afterwards."""

from collections.abc import Iterable, Sequence

import asyncpg

from ingest.batch import Batch, make_batch
from ingest.landing import Landed, Landing
from schemas.entry import Record, Submission, decode_record, encode_submission
from schemas.topics import LOGBOOK
from support.frames import FakeRecord
from support.logbooks import ROBOT


def value(record: Record) -> bytes:
    """As its author had sent it."""
    return encode_submission(Submission(signed=record.signed, opened=record.opened))


def sent(records: Iterable[Record], first: int = 0, partition: int = 0) -> list[FakeRecord]:
    """The broker had each when `record` says that it was received."""
    return [
        FakeRecord(
            record.signed.entry.robot_id.encode(),
            value(record),
            offset=first + at,
            timestamp=record.link.received_us // 1000,
            partition=partition,
        )
        for at, record in enumerate(records)
    ]


def batch_of(records: Sequence[FakeRecord], first: int | None = None) -> Batch:
    partition = records[0].partition
    return make_batch(LOGBOOK.name, records, {partition: records[0].offset if first is None else first})


async def land(landing: Landing, records: Iterable[Record]) -> None:
    """All of them, behind what has landed, in one batch that nothing is wrong with."""
    stored = await landing.offsets(LOGBOOK.name, {0: 0})
    assert await landing.land(batch_of(sent(records, stored[0].next))) == Landed(0)


async def records_of(database: asyncpg.Connection, robot_id: str = ROBOT) -> list[Record]:
    """As they stand there, without what they open."""
    rows = await database.fetch("SELECT record FROM logbook_entry WHERE robot_id = $1 ORDER BY number", robot_id)
    return [decode_record(row["record"]) for row in rows]
