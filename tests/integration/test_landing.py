"""A batch of frames in one transaction, against a real TimescaleDB: what is stored, rejected, fenced."""

import asyncio

import asyncpg
import msgspec
import numpy as np

from ingest.batch import make_batch
from ingest.landing import Fenced, Landed, Landing, Refused, Stored
from schemas.health import encode_health
from schemas.topics import FRAMES, HEALTH
from support import messages
from support.frames import CODE, DOWNSAMPLED, TIME_US, FakeRecord, frame, record
from support.landing import frames_batch, next_offset, values_batch

READINGS = {"joint_temperature_c": [30.1, None, 255.0], "battery_soc": 0.75}


async def test_a_frame_is_a_row_with_each_value_as_it_was_sent(landing: Landing, database: asyncpg.Connection):
    sent = frame(
        READINGS, seq=5, time_us=TIME_US + 1, boot_id=2**53 - 1, scenario="µ-line", software="", cycles=None
    )
    assert await landing.land(frames_batch(sent)) == Landed(0)
    row = await database.fetchrow(
        "SELECT *, extract(epoch FROM time) * 1000000 AS time_us, "
        "extract(epoch FROM received) * 1000000 AS received_us FROM frame"
    )
    assert (row["robot_id"], row["seq"], row["boot_id"], row["mono_us"]) == (CODE, 5, 2**53 - 1, 5)
    assert (int(row["time_us"]), int(row["received_us"])) == (TIME_US + 1, TIME_US)
    assert (row["runtime_s"], row["energy_wh"], row["cycles"]) == (60, 2, None)
    assert (row["mode"], row["backfill"], row["scenario"], row["software"]) == (1, False, "µ-line", "")
    assert row["joint_temperature_c"] == [np.float32(30.1), None, None]
    assert row["battery_soc"] == 0.75
    assert row["joint_wear"] is None
    assert await next_offset(database) == 1


async def test_a_frame_of_means_keeps_its_extremes_which_are_found_by_signal(
    landing: Landing, database: asyncpg.Connection
):
    await landing.land(frames_batch(frame(seq=1), msgspec.structs.replace(DOWNSAMPLED, seq=2)))
    plain, means = await database.fetch("SELECT * FROM frame ORDER BY seq")
    assert [plain[name] for name in ("dropped", "lowest", "highest", "extremes_layout")] == [None] * 4
    assert (means["dropped"], means["extremes_layout"]) == (12, "2:joint_temperature_c,battery_soc")
    assert (means["lowest"], means["highest"]) == ([29.5, None, 0.5], [95.25, None, 0.75])
    one = "extreme({}, extremes_layout, '{}', {})"
    asked = [one.format("lowest", "joint_temperature_c", 1), one.format("highest", "joint_temperature_c", 2)]
    asked += [one.format("lowest", "battery_soc", 0), one.format("highest", "joint_wear", 1)]
    found = await database.fetch(f"SELECT {', '.join(asked)} FROM frame ORDER BY seq")
    assert [tuple(row) for row in found] == [(None,) * 4, (29.5, None, 0.5, None)]


async def test_an_impossible_value_is_noted_and_a_new_robot_is_known(
    landing: Landing, database: asyncpg.Connection
):
    await landing.land(frames_batch(frame(READINGS, seq=1), frame(READINGS, seq=2, time_us=TIME_US + 1)))
    noted = await database.fetch(
        "SELECT seq, signal, joint, value, extract(epoch FROM time) * 1000000 AS us "
        "FROM impossible_reading ORDER BY seq"
    )
    assert [(r["seq"], r["signal"], r["joint"], r["value"], int(r["us"])) for r in noted] == [
        (1, "joint_temperature_c", 3, 255.0, TIME_US),
        (2, "joint_temperature_c", 3, 255.0, TIME_US + 1),
    ]
    robot = await database.fetchrow("SELECT *, extract(epoch FROM first_time) * 1000000 AS us FROM robot")
    assert (robot["robot_id"], robot["country"], robot["enterprise"], robot["model"], robot["serial"]) == (
        CODE, "ZZ", "TEST", "MODEL1", CODE[12:],
    )  # fmt: skip
    assert int(robot["us"]) == TIME_US
    await landing.land(frames_batch(frame(seq=3, time_us=TIME_US - 5), first=2))
    assert await database.fetchval("SELECT count(*) FROM robot WHERE first_time = $1", robot["first_time"]) == 1


async def test_a_reject_is_in_the_same_transaction_with_its_bytes(landing: Landing, database: asyncpg.Connection):
    assert await landing.land(frames_batch(frame(seq=0), b"\xc1\0\xff", frame(seq=1))) == Landed(0)
    row = await database.fetchrow("SELECT * FROM reject")
    assert (row["topic"], row["partition"], row["record_offset"]) == (FRAMES.name, 0, 1)
    assert (row["reason"], row["key"], row["value"]) == ("undecodable", None, b"\xc1\0\xff")
    assert await database.fetchval("SELECT count(*) FROM frame") == 2
    assert await landing.rejected_since(FRAMES.name, 0, 0) == [1]
    assert await landing.rejected_since(FRAMES.name, 0, 2) == []


async def test_what_was_produced_twice_is_stored_once(landing: Landing, database: asyncpg.Connection):
    frames = [frame(READINGS, seq=i) for i in range(4)]
    await landing.land(frames_batch(*frames[:2]))
    assert await landing.land(frames_batch(*frames, first=2)) == Landed(2)
    assert await landing.land(frames_batch(*frames, frames[0], first=6)) == Landed(5)
    assert await landing.land(frames_batch(frame(seq=9), first=11)) == Landed(0)
    assert [r["seq"] for r in await database.fetch("SELECT seq FROM frame ORDER BY seq")] == [0, 1, 2, 3, 9]
    assert await database.fetchval("SELECT count(*) FROM impossible_reading") == 4
    assert await next_offset(database) == 12


async def test_two_boots_of_a_robot_with_a_dead_clock_are_not_one(landing: Landing, database: asyncpg.Connection):
    boots = [frame(READINGS, boot_id=boot, time_us=12_000_000) for boot in (7, 8)]
    assert await landing.land(frames_batch(*boots)) == Landed(0)
    assert await landing.land(frames_batch(*boots, first=2)) == Landed(2)
    kept = "SELECT array_agg(boot_id ORDER BY boot_id) FROM "
    assert await database.fetchval(kept + "frame") == [7, 8]
    assert await database.fetchval(kept + "impossible_reading") == [7, 8]


async def test_a_batch_that_does_not_start_where_the_offset_stands_is_fenced(
    landing: Landing, database: asyncpg.Connection
):
    both = [
        record(frame(seq=1), partition=0),
        record(frame(seq=2), partition=1),
        FakeRecord(b"", b"\xc1", offset=1),
    ]
    await database.execute("UPDATE landed SET next_offset = 7 WHERE topic = $1 AND partition = 1", FRAMES.name)
    assert await landing.land(make_batch(FRAMES.name, both, {0: 0, 1: 0})) == Fenced()
    counts = "SELECT (SELECT count(*) FROM frame), (SELECT count(*) FROM reject), (SELECT count(*) FROM robot)"
    assert tuple(await database.fetchrow(counts)) == (0, 0, 0)
    assert (await next_offset(database), await next_offset(database, partition=1)) == (0, 7)
    assert await landing.land(frames_batch(frame(seq=1))) == Landed(0)
    assert tuple(await database.fetchrow(counts)) == (1, 0, 1)


async def test_two_landers_land_a_batch_once(landing: Landing, database_url: str, database: asyncpg.Connection):
    other = Landing(database_url)
    batch = frames_batch(*[frame(seq=i) for i in range(50)])
    attempts = await asyncio.gather(landing.land(batch), other.land(batch))
    await other.close()
    assert {type(attempt) for attempt in attempts} == {Landed, Fenced}
    assert await database.fetchval("SELECT count(*) FROM frame") == 50
    assert await next_offset(database) == 50


async def test_what_the_database_cannot_store_is_refused_and_nothing_is_kept(
    landing: Landing, database: asyncpg.Connection
):
    nul = msgspec.structs.replace(messages.HEALTH, scenario="a\0b")
    refused = await landing.land(values_batch(HEALTH.name, [encode_health(messages.HEALTH), encode_health(nul)]))
    assert isinstance(refused, Refused)
    assert await database.fetchval("SELECT count(*) FROM health") == 0
    assert await next_offset(database, HEALTH.name) == 0
    alone = values_batch(HEALTH.name, [encode_health(nul)])
    assert isinstance(await landing.land(alone), Refused)
    assert await landing.land(alone.refused("invalid byte sequence")) == Landed(0)
    assert await database.fetchval("SELECT reason FROM reject") == "refused_by_database"


async def test_new_partitions_begin_where_their_log_does_and_old_ones_where_they_stand(
    landing: Landing, database: asyncpg.Connection
):
    assert await landing.offsets(FRAMES.name, {5: 40, 6: 0}) == {5: Stored(40, None), 6: Stored(0, None)}
    await database.execute("UPDATE landed SET next_offset = 50 WHERE topic = $1 AND partition = 5", FRAMES.name)
    assert await landing.offsets(FRAMES.name, {5: 45, 6: 2}) == {5: Stored(50, None), 6: Stored(0, None)}


async def test_the_time_stamp_of_the_last_record_is_kept_to_the_millisecond(landing: Landing):
    await landing.land(frames_batch(frame(seq=0), frame(seq=1)))
    assert await landing.offsets(FRAMES.name, {0: 0}) == {0: Stored(2, TIME_US // 1000)}
