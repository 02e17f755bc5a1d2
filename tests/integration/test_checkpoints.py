"""Checkpoints: what they have, when they are made, and that a crash before they are published is made good."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client import CollectorRegistry

from deploy import cli
from ingest.landing import Landed, Landing
from processors.checkpointing import Checkpointer
from processors.retain import Retainer
from processors.retain_metrics import RetainMetrics
from processors.retention import keep_times
from schemas.canonical import canonical
from schemas.checkpoint import Published, decode_published, faults_of
from schemas.errors import RetryError
from schemas.kafka import Kafka
from schemas.logbook_check import check_logbook
from schemas.topics import CHECKPOINTS, LOGBOOK
from serve.logbook_export import read_logbook
from support.frames import FakeRecord
from support.land import holds, until
from support.landed_logbooks import batch_of, land, records_of, sent, value
from support.logbooks import PLATFORM, PLATFORMS, ROBOT, SWAPPED, WORKSHOP, Writer, begun

NO_KAFKA = Kafka("127.0.0.1:1")


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Landing]:
    landing = Landing(database_url, PLATFORM)
    yield landing
    await landing.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "checkpoints.jsonl"


def makes(path: Path, kafka: Kafka = NO_KAFKA) -> Checkpointer:
    return Checkpointer(PLATFORM, PLATFORMS, path, kafka)


def lines_of(path: Path) -> list[Published]:
    return [decode_published(line) for line in path.read_bytes().splitlines()]


def _left(path: Path, data: bytes) -> None:
    """As a crash left it."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


async def on_the_topic(kafka: Kafka, count: int) -> list[Published]:
    consumer = AIOKafkaConsumer(CHECKPOINTS.name, **kafka.client(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        return [decode_published((await consumer.getone()).value) for _ in range(count)]
    finally:
        await consumer.stop()


async def test_one_is_made_only_of_something_new_and_each_follows_the_one_before(
    books: Landing, database: asyncpg.Connection, path: Path, topics: Kafka
):
    writer, checkpointer = begun(), makes(path, topics)
    assert await checkpointer.make(database) is None
    await land(books, writer.records)
    for _ in range(4):
        assert await checkpointer.make(database) is not None
        assert await checkpointer.make(database) is None
        await checkpointer.publish(database)
        await land(books, [writer.write(SWAPPED, WORKSHOP)])
    lines = lines_of(path)
    assert [line.checkpoint.size for line in lines] == [1, 2, 3, 4]
    assert faults_of(lines, PLATFORMS) == []
    assert await on_the_topic(topics, 4) == lines
    rows = await database.fetch("SELECT number, checkpoint FROM logbook_entry ORDER BY number")
    assert [row["checkpoint"] for row in rows] == [1] * 5 + [2, 3, 4, None]


async def test_its_time_is_the_newest_receipt_and_what_comes_later_was_received_after_it(
    books: Landing, database: asyncpg.Connection, path: Path
):
    writer = begun()
    await land(books, writer.records)
    line = await makes(path).make(database)
    assert line is not None
    assert line.checkpoint.time_us == writer.records[-1].link.received_us
    new = Writer("ZZTESTMODEL100000000000000009")
    first = new.force(new.sign(begun(new.book.robot_id).records[0].signed.entry.what, PLATFORM))
    await land(books, [first])
    received = (await records_of(database, new.book.robot_id))[0].link.received_us
    assert received == line.checkpoint.time_us + 1
    stored = await read_logbook(database, new.book.robot_id)
    assert not check_logbook(stored.file(), PLATFORMS, [line]).faults, "it is newer than the checkpoint, no more"


async def test_a_crash_between_commit_and_publishing_is_made_good(
    books: Landing, database: asyncpg.Connection, path: Path, topics: Kafka
):
    writer = begun()
    await land(books, writer.records)
    made = await makes(path).make(database)  # and then it crashes
    await land(books, [writer.write(SWAPPED, WORKSHOP)])
    with pytest.raises(RetryError):  # once more, with Kafka away: the file has both by then
        await makes(path).publish(database)
    again = makes(path, topics)
    second = await again.make(database)
    assert await again.publish(database) == 2
    assert await again.publish(database) == 0
    assert lines_of(path) == [made, second] == await on_the_topic(topics, 2)


@pytest.mark.parametrize("torn", [b'{"checkpoint":{"heads":1', b"x", b"{"])
async def test_a_line_that_a_crash_cut_off_is_written_again(
    books: Landing, database: asyncpg.Connection, path: Path, torn: bytes
):
    writer = begun()
    await land(books, writer.records)
    line = await makes(path).make(database)
    assert line is not None
    for before in (torn, canonical(line) + b"\n" + torn):
        _left(path, before)
        with suppress(RetryError):
            await makes(path).publish(database)
        assert lines_of(path) == [line]


async def test_while_one_is_made_nobody_appends_and_each_entry_is_in_it_or_came_later(
    books: Landing, database: asyncpg.Connection, database_url: str, path: Path
):
    """Many appends and many checkpoints at once: by every checkpoint the rule of time holds."""
    writer = begun()
    await land(books, writer.records)
    checkpointer = makes(path)

    async def append() -> None:
        for at in range(40):
            signed = writer.sign(SWAPPED, WORKSHOP, written_us=writer.now_us)
            record = FakeRecord(ROBOT.encode(), value(writer.force(signed)), 5 + at, writer.now_us // 1000)
            assert await books.land(batch_of([record])) == Landed(0)

    async def pin() -> list[Published]:
        found = []
        while not appending.done() or not found:
            line = await checkpointer.make(database)
            found += [line] if line is not None else []
        return found

    appending = asyncio.create_task(append())
    lines, _ = await asyncio.gather(pin(), appending)
    assert len(lines) > 1
    times = {line.checkpoint.size: line.checkpoint.time_us for line in lines}
    for number, at, us in await database.fetch(
        "SELECT number, checkpoint, (extract(epoch FROM received) * 1000000)::bigint FROM logbook_entry"
    ):
        assert all((us <= time_us) == (at is not None and size >= at) for size, time_us in times.items()), number


async def test_retain_makes_and_publishes_them_and_says_how_old_what_is_left_out_is(
    books: Landing, database_url: str, database: asyncpg.Connection, path: Path, topics: Kafka
):
    await land(books, begun().records)
    registry, stop = CollectorRegistry(), asyncio.Event()
    retainer = Retainer(database_url, keep_times({}), RetainMetrics.create(registry), makes(path, topics))
    running = asyncio.create_task(retainer.run(stop))

    await until(
        holds(lambda: registry.get_sample_value("robovitals_retain_checkpoints_total") == 1), "a checkpoint is made"
    )
    assert len(await on_the_topic(topics, 1)) == 1
    stop.set()
    await running
    assert registry.get_sample_value("robovitals_retain_checkpoint_fault") == 0
    assert registry.get_sample_value("robovitals_retain_unpinned_seconds") == 0


async def test_the_command_makes_one_and_says_where(
    books: Landing, database_url: str, topics: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setenv("ROBOVITALS_DATABASE_URL", database_url)
    monkeypatch.setenv("ROBOVITALS_KAFKA_BOOTSTRAP", topics.bootstrap)
    monkeypatch.setenv("ROBOVITALS_HOME", str(tmp_path))

    async def said(*arguments: str) -> tuple[int, str]:
        code = await asyncio.to_thread(cli.main, ["logbook", *arguments])
        out = capsys.readouterr()
        return code, out.out + out.err

    assert "there is no platform's key" in (await said("checkpoint"))[1]
    key = tmp_path / "platform_key"
    key.write_text(PLATFORM.private_bytes_raw().hex())
    key.chmod(0o600)
    await land(books, begun().records)
    assert await said("checkpoint") == (0, f"checkpoint 1 of 1 logbooks: {tmp_path}/checkpoints.jsonl\n")
    assert (await said("checkpoint"))[1].startswith("nothing is new")
    out = tmp_path / f"{ROBOT}.logbook.jsonl"
    assert await said("export", ROBOT, "--out", str(out)) == (0, f"5 entries, checkpoint 1: {out}\n")
    checked = ["verify-log", str(out), "--checkpoint", f"{tmp_path}/checkpoints.jsonl", "--keys"]
    (tmp_path / "keys").write_text("".join(PLATFORMS))
    assert await asyncio.to_thread(cli.main, [*checked, str(tmp_path / "keys")]) == 0


async def test_what_the_topic_of_entries_repeats_changes_nothing(
    books: Landing, database: asyncpg.Connection, path: Path
):
    """A replay of the whole topic, after a checkpoint and from another place."""
    writer = begun()
    await land(books, writer.records)
    assert await makes(path).make(database) is not None
    await books.offsets(LOGBOOK.name, {3: 0})
    again = sent(writer.records, partition=3)
    assert await books.land(batch_of(again)) == Landed(5)
    assert await makes(path).make(database) is None
