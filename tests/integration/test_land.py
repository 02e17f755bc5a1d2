"""The lander on a real Kafka and a real TimescaleDB: bad input, outages, kills, zombies, lost logs."""

import asyncio
import signal
import struct

import asyncpg
import msgspec
import numpy as np
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from deploy.local.servers import Servers
from deploy.topics import delete_all, ensure
from ingest.pending import BatchPolicy
from ingest.reject_limit import RejectPolicy
from ingest.source import GROUP
from schemas.errors import ContractError, StopError
from schemas.frame import MAX_FRAME_BYTES, encode_frame
from schemas.health import encode_health
from schemas.kafka import Kafka
from schemas.layout import MAX_JOINTS
from schemas.reject import decode_reject
from schemas.topics import DEFAULT_PARTITIONS, FRAMES, HEALTH, REJECTS
from support.frames import CODE, frame
from support.land import (
    CODES,
    LANDED,
    WITHIN_S,
    Records,
    all_landed,
    frames,
    held,
    holds,
    landing,
    produce,
    stopped_in_its_transaction,
    until,
)
from support.messages import HEALTH as HEALTH_MESSAGE
from support.pipeline import Pipeline, pipeline
from support.tables import checksums


def _bad() -> dict[str, Records]:
    """By reason, records that cannot be used."""
    good = encode_frame(frame())
    fields = msgspec.structs.astuple(frame())
    key = CODE.encode()

    def packed(**changes: object) -> bytes:
        return encode_frame(frame(**changes))

    many = f"{10_000}:joint_wear"
    return {
        "undecodable": [
            (key, b"\xc1" + np.random.default_rng(1).bytes(300)),
            (key, good[:-9]),
            (key, b""),
            (None, b"{"),
        ],
        "wrong_type": [
            (key, b"\xff" + np.random.default_rng(1).bytes(300)),  # to MessagePack it begins with a whole -1
            (key, msgspec.msgpack.encode([*fields[:3], "one", *fields[4:]])),
            (key, b'{"v": 1, "robot_id": 5}'),
            (key, packed(time_us=2**60)),
        ],
        "future_version": [(key, packed(v=9)), (key, b'{"v": 2, "new": [[[1]]]}')],
        "bad_code": [(b"short", packed(robot_id="short"))],
        "key_mismatch": [(CODES[5].encode(), good), (None, good)],
        "bad_text": [(key, packed(scenario="fac\0tory"))],
        "bad_layout": [(key, packed(layout="two:joint_wear"))],
        "unknown_signal": [(key, packed(layout="1:joint_mood", values=struct.pack("<f", 1)))],
        "too_many_joints": [
            (key, packed(layout=many, values=b"\0" * 40_000)),
            (key, packed(layout=f"{MAX_JOINTS + 1}:joint_wear")),
        ],
        "values_mismatch": [(key, packed(values=b"\0\0\0"))],
        "too_large": [(key, b"x" * (MAX_FRAME_BYTES + 1)), (key, np.random.default_rng(2).bytes(1_000_000))],
    }


async def test_each_kind_of_bad_input_is_rejected_once_and_its_neighbours_land(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    bad = [(reason, record) for reason, records in _bad().items() for record in records]
    good = frames(10 * len(bad))
    records = [r for i, (_, record) in enumerate(bad) for r in (*good[10 * i : 10 * i + 10], record)]
    await produce(topics, records)
    async with landing(topics, database_url):
        await until(all_landed(database, len(records)), "landed")
        found = await database.fetch("SELECT reason, key, value FROM reject")
        published = await _read_rejects(topics, len(bad))
    expected = sorted((reason, key or b"", value) for reason, (key, value) in bad)
    assert sorted((r["reason"], r["key"] or b"", r["value"]) for r in found) == expected
    short = [(reason, value) for reason, (_, value) in bad if len(value) < 900_000]
    assert sorted((r.reason, r.value) for r in published if len(r.value) < 900_000) == sorted(short)
    assert await database.fetchval("SELECT count(*) FROM frame") == len(good)
    assert await database.fetchval("SELECT count(*) FROM impossible_reading") == len(good) // 50 + 1


async def test_what_only_the_database_refuses_is_found_and_rejected_alone(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    nul = encode_health(msgspec.structs.replace(HEALTH_MESSAGE, scenario="a\0b"))
    good = [encode_health(msgspec.structs.replace(HEALTH_MESSAGE, robot_id=code)) for code in CODES]
    await produce(topics, [(CODE.encode(), value) for value in (*good[:7], nul, *good[7:])], topic=HEALTH.name)
    async with landing(topics, database_url):
        await until(all_landed(database, 21, HEALTH.name), "landed")
    found = await database.fetch("SELECT topic, reason, value FROM reject")
    assert [tuple(row) for row in found] == [(HEALTH.name, "refused_by_database", nul)]
    assert await database.fetchval("SELECT count(*) FROM health") == 20


async def _read_rejects(kafka: Kafka, count: int) -> list:
    consumer = AIOKafkaConsumer(REJECTS.name, **kafka.client(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(WITHIN_S):
            return [decode_reject((await consumer.getone()).value) for _ in range(count)]
    finally:
        await consumer.stop()


async def test_a_database_that_is_out_is_waited_for_and_nothing_is_rejected(
    servers: Servers, topics: Kafka, database_url: str
):
    await produce(topics, frames(2_000))
    async with landing(topics, database_url) as lander:
        database = await asyncpg.connect(database_url)
        await until(all_landed(database, 500), "the first have landed")
        await asyncio.to_thread(servers.database.kill)
        await produce(topics, frames(2_000, first=2_000))
        await until(holds(lambda: lander.not_ready() is not None and not lander.stuck(0)), "it says that it waits")
        await asyncio.to_thread(servers.database.start)
        database = await asyncpg.connect(database_url)
        await until(all_landed(database, 4_000), "all have landed")
        await until(holds(lambda: lander.not_ready() is None), "it is ready again")
    assert await database.fetchval("SELECT count(*) FROM frame") == 4_000
    assert await database.fetchval("SELECT count(*) FROM reject") == 0
    await database.close()


async def test_landers_that_come_and_go_land_every_frame_once(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    await produce(topics, frames(3_000))
    async with landing(topics, database_url):
        for step in range(1, 4):
            async with landing(topics, database_url):
                await produce(topics, frames(1_000, first=2_000 + 1_000 * step))
                await until(all_landed(database, 3_000 + 1_000 * step), "landed by the two")
    assert await database.fetchval("SELECT count(*) FROM frame") == 6_000
    assert await database.fetchval("SELECT count(*) FROM reject") == 0


async def test_offsets_that_another_has_moved_are_read_again(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    await produce(topics, frames(1_000))
    async with landing(topics, database_url) as lander:
        await until(all_landed(database, 1_000), "landed")
        # As if another lander had landed the partitions up to here while ours believed that they were its own.
        await database.execute("DELETE FROM frame")
        await database.execute("UPDATE landed SET next_offset = 0 WHERE topic = $1", FRAMES.name)
        await produce(topics, frames(100, first=1_000))
        await until(all_landed(database, 1_100), "landed again")
        assert lander.stuck(0) is None
    assert await database.fetchval("SELECT count(*) FROM frame") == 1_100


async def test_the_groups_offsets_follow_for_outside_tools(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    await produce(topics, frames(300))
    admin = AIOKafkaAdminClient(**topics.client())
    await admin.start()

    async def committed() -> bool:
        offsets = await admin.list_consumer_group_offsets(GROUP)
        return sum(o.offset for tp, o in offsets.items() if tp.topic == FRAMES.name) == 300

    async with landing(topics, database_url):
        await until(all_landed(database, 300), "landed")
        await until(committed, "committed")
    await admin.close()


async def test_records_deleted_before_they_landed_stop_the_lander(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    await produce(topics, frames(400))
    async with landing(topics, database_url):
        await until(all_landed(database, 400), "landed")
    await produce(topics, frames(400, first=400))
    admin = AIOKafkaAdminClient(**topics.client())
    await admin.start()
    partitions = [TopicPartition(FRAMES.name, p) for p in range(DEFAULT_PARTITIONS)]
    await admin.delete_records({tp: RecordsToDelete(before_offset=-1) for tp in partitions})
    await admin.close()
    with pytest.raises(ContractError, match=r"telemetry.frames partition \d: offset \d+ .* were deleted before"):
        async with landing(topics, database_url):
            await until(all_landed(database, 800), "never")


async def test_a_topic_that_was_made_anew_stops_the_lander(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    await database.execute("INSERT INTO landed VALUES ($1, 3, 77)", FRAMES.name)
    with pytest.raises(ContractError, match=r"telemetry.frames partition 3: offset 77 .* ends at 0"):
        async with landing(topics, database_url):
            await until(all_landed(database, 1_000), "never")


async def test_a_topic_that_was_made_anew_and_has_grown_past_the_offset_stops_the_lander(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    await produce(topics, frames(400))
    async with landing(topics, database_url):
        await until(all_landed(database, 400), "landed")
    await delete_all(topics)
    await ensure(topics)
    await produce(topics, frames(800, first=400))
    with pytest.raises(ContractError, match=r"is not the one that was landed: the topic was made anew"):
        async with landing(topics, database_url):
            await until(all_landed(database, 800), "never")
    assert await database.fetchval("SELECT count(*) FROM frame") == 400


async def test_a_bad_deploy_stops_the_lander_and_a_restart_does_not_let_it_go_on(
    topics: Kafka, database_url: str, database: asyncpg.Connection
):
    policy = RejectPolicy(run=300, window=10_000)
    await produce(topics, [(CODES[0].encode(), b"\xc1 nonsense") for _ in range(2_000)])
    landed = []
    for _ in range(2):
        with pytest.raises(StopError, match=r"300 records of telemetry.frames in a row cannot be used"):
            async with landing(topics, database_url, rejects=policy, batches=BatchPolicy(records=100)):
                await until(all_landed(database, 2_000), "never")
        landed.append(await database.fetchval(LANDED, FRAMES.name))
        assert await database.fetchval("SELECT count(*) FROM reject") == landed[-1] < 300
    assert landed[0] == landed[1]


# Whole processes


async def _landed_by_one(running: Pipeline, database: asyncpg.Connection, count: int) -> dict:
    """What the tables hold when a lander that nobody disturbs has landed so many frames."""
    running.start("land")
    await until(all_landed(database, count), "all have landed")
    assert running.stop() == {"land": 0}
    sums = await checksums(database)
    assert sums["frame"][0] == count
    return sums


async def test_killed_in_the_middle_it_lands_the_same_tables(
    tmp_path, topics: Kafka, database_url: str, database: asyncpg.Connection
):
    """Killed before a batch's rows are there, between them and what is noted of them, and before its offsets."""
    sent = 0

    async def send(count: int) -> None:
        nonlocal sent
        await produce(topics, frames(count, first=sent))
        sent += count

    # A static member that comes back goes on at once, instead of after the session of the one that was killed.
    with pipeline(tmp_path, topics, database_url, ROBOVITALS_INSTANCE="land-1") as running:
        for table in ("frame", "impossible_reading", "landed"):
            await send(2_000)
            running.start("land")
            await until(all_landed(database, sent), "it is at work")
            async with held(database_url, table):
                await send(10_000)
                await until(stopped_in_its_transaction(database), f"it has come to {table}")
                running.kill("land")
                assert await database.fetchval(LANDED, FRAMES.name) < sent
        killed = await _landed_by_one(running, database, sent)
        await database.execute("TRUNCATE frame, impossible_reading, robot, reject, landed")
        assert await _landed_by_one(running, database, sent) == killed


async def test_a_zombie_past_its_session_is_fenced_off(
    tmp_path, topics: Kafka, database_url: str, database: asyncpg.Connection
):
    """It is stopped in a transaction, with a batch in hand and more behind it, and wakes when all have landed."""
    count = 20_000
    with (
        pipeline(tmp_path / "a", topics, database_url) as running,
        pipeline(tmp_path / "b", topics, database_url) as other,
    ):
        await produce(topics, frames(1_000))
        running.start("land")
        await until(all_landed(database, 1_000), "it is at work")
        async with held(database_url, "landed"):
            await produce(topics, frames(count - 1_000, first=1_000))
            await until(stopped_in_its_transaction(database), "it has come to its offsets")
            running.signal("land", signal.SIGSTOP)
            assert await database.fetchval(LANDED, FRAMES.name) < count
        other.start("land")
        await until(all_landed(database, count), "the other has landed the rest")
        running.signal("land", signal.SIGCONT)
        await produce(topics, frames(1_000, first=count))
        await until(all_landed(database, count + 1_000), "both go on")
        assert (running.stop(), other.stop()) == ({"land": 0}, {"land": 0})
    assert await database.fetchval("SELECT count(*) FROM frame") == count + 1_000
    assert await database.fetchval("SELECT count(*) FROM reject") == 0
