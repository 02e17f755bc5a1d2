"""Entries through a real Kafka into logbooks, by landers that are killed, and by one that has no key."""

import signal
from pathlib import Path

import asyncpg
import pytest

from schemas.chain import Fault
from schemas.entry import Record
from schemas.kafka import Kafka
from schemas.logbook import Software
from schemas.topics import LOGBOOK
from support.land import all_landed, frames, produce, until
from support.landed_logbooks import records_of, value
from support.logbooks import MAKER, OPERATOR, PLATFORM, STRANGER, SWAPPED, Writer, begun
from support.pipeline import Pipeline, pipeline

ROBOTS = [f"ZZTESTMODEL1{n:017d}" for n in range(4)]
ENTRIES = 60


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "platform_key").write_text(PLATFORM.private_bytes_raw().hex())
    (tmp_path / "platform_key").chmod(0o600)
    return tmp_path


def lives(now_us: int) -> list[tuple[bytes, bytes]]:
    """Of each robot what registers it and updates by turns, each entry twice and a stranger's now and then."""
    sent = []
    for robot in ROBOTS:
        writer = Writer(robot)
        writer.now_us = now_us
        for record in begun(robot).records:
            writer.write(record.signed.entry.what, PLATFORM if record.link.number < 5 else MAKER)
            writer.now_us = now_us
        for n in range(ENTRIES):
            writer.write(Software(name="firmware", version=f"{n}"), OPERATOR)
            writer.now_us = now_us
            if n % 10 == 0:
                sent.append((robot.encode(), value(_strange(writer))))
        values = [value(record) for record in writer.records]
        sent += [(robot.encode(), v) for v in values] + [(robot.encode(), v) for v in values[::3]]
    return sent


def _strange(writer: Writer) -> Record:
    other = Writer(writer.book.robot_id)
    other.now_us, other._signed = writer.now_us, 10_000 + writer.book.number
    return other.force(other.sign(SWAPPED, STRANGER))


async def test_landers_that_are_killed_append_each_entry_once(
    home: Path, topics: Kafka, database_url: str, database: asyncpg.Connection
):
    now_us = int(await database.fetchval("SELECT extract(epoch FROM now()) * 1000000"))
    sent = lives(now_us)
    with pipeline(home, topics, database_url) as running:
        running.start("land")
        for first in range(0, len(sent), 80):
            await produce(topics, sent[first : first + 80], LOGBOOK.name)
            running.kill("land")
            running.start("land")
        await until(all_landed(database, len(sent), LOGBOOK.name), "all have landed")
    for robot in ROBOTS:
        records = await records_of(database, robot)
        assert [record.link.number for record in records] == list(range(1, ENTRIES + 6))
        stored = await database.fetchrow("SELECT entries, chain FROM logbook_head WHERE robot_id = $1", robot)
        assert tuple(stored) == (records[-1].link.number, records[-1].link.hash)
    reasons = await database.fetch("SELECT reason, count(*) FROM reject GROUP BY reason")
    assert [tuple(row) for row in reasons] == [(Fault.UNREGISTERED, len(ROBOTS) * ENTRIES // 10)]


async def test_a_zombie_that_wakes_up_appends_nothing_twice(
    home: Path, topics: Kafka, database_url: str, database: asyncpg.Connection
):
    now_us = int(await database.fetchval("SELECT extract(epoch FROM now()) * 1000000"))
    sent = lives(now_us)
    with pipeline(home, topics, database_url) as first, pipeline(home, topics, database_url) as second:
        first.start("land")
        await produce(topics, sent[:100], LOGBOOK.name)
        first.signal("land", signal.SIGSTOP)
        await produce(topics, sent[100:], LOGBOOK.name)
        second.start("land")
        await until(all_landed(database, len(sent), LOGBOOK.name), "the second one lands all")
        first.signal("land", signal.SIGCONT)
        await produce(topics, sent[:50], LOGBOOK.name)
        await until(all_landed(database, len(sent) + 50, LOGBOOK.name), "what comes again is landed too")
    assert await database.fetchval("SELECT count(*) FROM logbook_entry") == len(ROBOTS) * (ENTRIES + 5)


async def test_without_the_platforms_key_frames_land_and_entries_wait(
    topics: Kafka, database: asyncpg.Connection, lander: Pipeline
):
    await produce(topics, [(b"", value(begun().records[0]))], LOGBOOK.name)
    await produce(topics, frames(50))
    await until(all_landed(database, 50), "frames have landed")
    assert await database.fetchval("SELECT count(*) FROM landed WHERE topic = $1", LOGBOOK.name) == 0
    assert f"no platform's key: entries on {LOGBOOK.name} wait" in lander.log("land")
