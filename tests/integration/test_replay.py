"""Replay and simulate against a real Kafka and a real TimescaleDB, through the real lander."""

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest

from deploy.local import ports
from deploy.topics import delete_all, ensure
from ingest.publish import Publisher
from schemas.columns import decode_records
from schemas.errors import UnavailableError
from schemas.frame import FLAG_BACKFILL, Frame, decode_frame
from schemas.kafka import Kafka
from schemas.topics import FRAMES
from support.frames import CODE
from support.frames import frame as good_frame
from support.pipeline import Pipeline, pipeline
from support.recorded import recording
from support.robots import all_frames


def _by_robot(frames: list[Frame]) -> dict[str, list[Frame]]:
    found = defaultdict(list)
    for frame in frames:
        found[frame.robot_id].append(frame)
    return found


async def test_a_second_replay_adds_nothing_and_one_at_other_times_does(lander: Pipeline) -> None:
    path = recording("battery_nasa")
    first = lander.replay(path, "battery_nasa")
    assert (first["sent"], first["landed"], first["rejected"], first["refused"]) == (799, 799, 0, 0)
    assert lander.replay(path, "battery_nasa")["landed"] == 799
    assert lander.replay(path, "battery_nasa", "--times", "end-now")["landed"] == 799
    connection = await asyncpg.connect(lander.database_url)
    rows, boots = await connection.fetchrow("SELECT count(*), count(DISTINCT (robot_id, boot_id)) FROM frame")
    await connection.close()
    assert (rows, boots) == (2 * 799, 11), "eleven cells, each with one boot however often it is replayed"


async def test_live_replay_is_paced_and_its_times_are_now(lander: Pipeline) -> None:
    summary = lander.replay(
        recording("armpi"), "armpi", "--sessions", "20240320_152031", "--times", "live", "--speed", "10"
    )
    assert summary["sent"] == summary["landed"] == 127
    connection = await asyncpg.connect(lander.database_url)
    # The broker's clock counts milliseconds: a frame that arrives at once may seem to be less than one ahead.
    apart_s, ahead = await connection.fetchrow(
        "SELECT extract(epoch FROM max(time) - min(time)), "
        "count(*) FILTER (WHERE time >= received + interval '1 ms') FROM frame"
    )
    await connection.close()
    assert float(apart_s) == pytest.approx(1.26, abs=0.01), "12.6 s of recording at ten times its speed"
    assert ahead == 0, "none was sent before its time"


async def test_what_lands_says_what_the_summary_says(lander: Pipeline) -> None:
    summary = lander.replay(recording("armpi"), "armpi", "--sessions", "20240426_141532")
    connection = await asyncpg.connect(lander.database_url)
    noted = await connection.fetchval("SELECT count(*) FROM impossible_reading")
    lowest = await connection.fetchval("SELECT min(value) FROM impossible_reading")
    present = await connection.fetchval("SELECT count(value) FROM reading")
    await connection.close()
    assert noted == summary["impossible"] == 3, "255 °C, -130 mV and -32 233 counts"
    assert lowest == pytest.approx(-137.11, abs=0.01)
    assert present == summary["readings"] - summary["absent"] - summary["impossible"]


async def test_records_are_keyed_by_robot_and_lie_where_any_kafka_client_would_put_them(topics: Kafka) -> None:
    async with Publisher(topics, "test") as publisher:
        await publisher.send(good_frame())
        reference = await publisher._producer.send(FRAMES.name, b"not a frame", CODE.encode())
        await publisher.flush()
        expected = (await reference).partition
    records = await all_frames(topics)
    assert {(record.partition, record.key) for record in records} == {(expected, CODE.encode())}
    assert publisher.acknowledged.records == 1
    assert publisher.acknowledged.last.keys() == {expected}


@pytest.mark.parametrize("arguments", [(), ("--wait",)])
def test_an_unreachable_kafka_is_one_line(tmp_path: Path, database_url: str, arguments: tuple[str, ...]) -> None:
    with pipeline(tmp_path, Kafka(f"127.0.0.1:{ports.choose()}"), database_url) as running:
        done = running.command("replay", str(recording("ur3")), "--recording", "ur3", *arguments)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no Kafka answers at 127.0.0.1" in done.stderr


async def test_a_broker_without_the_topic_is_named(kafka: Kafka) -> None:
    await delete_all(kafka)
    with pytest.raises(UnavailableError, match="robovitals topics"):
        async with Publisher(kafka, "test"):
            pass
    await ensure(kafka)


async def test_a_simulated_fleet_sends_its_past_and_goes_live_without_a_gap(lander: Pipeline) -> None:
    done = lander.command("simulate", "--robots", "6", "--history", "20s", "--duration", "2s")
    assert done.returncode == 0, done.stderr
    records = await all_frames(lander.kafka)
    columns, rejected = decode_records(records)
    assert rejected == []
    assert len(columns) == len(records)
    for frames in _by_robot([decode_frame(record.value) for record in records]).values():
        assert [frame.seq for frame in frames] == list(range(len(frames)))
        assert {b.time_us - a.time_us for a, b in pairwise(frames)} == {1_000_000}
        assert len(frames) >= 22
    again = lander.command("simulate", "--robots", "6", "--history", "1h", "--duration", "1s")
    assert again.returncode == 0, again.stderr
    both = _by_robot([decode_frame(record.value) for record in await all_frames(lander.kafka)])
    for frames in both.values():
        times = [frame.time_us for frame in frames]
        assert len({frame.boot_id for frame in frames}) == 2
        assert times == sorted(set(times)), "what was sent before is not sent again"


async def test_a_demo_fleet_tells_its_day_once(lander: Pipeline) -> None:
    done = lander.command("simulate", "--robots", "14", "--demo", "--duration", "4s")
    assert done.returncode == 0, done.stderr
    first = [decode_frame(record.value) for record in await all_frames(lander.kafka)]
    live_us = max(frame.time_us for frame in first) - 60_000_000
    assert {frame.robot_id for frame in first if frame.time_us > live_us} == {
        frame.robot_id for frame in first if "00000003" not in frame.robot_id
    }, "all but the silent one are there"
    past = [frame for frame in first if frame.time_us <= live_us]
    assert {frame.flags for frame in past} == {0, FLAG_BACKFILL}
    again = lander.command("simulate", "--robots", "14", "--demo", "--duration", "4s")
    assert again.returncode == 0, again.stderr
    both = [decode_frame(record.value) for record in await all_frames(lander.kafka)]
    boots = {frame.boot_id for frame in first}
    second = [frame for frame in both if frame.boot_id not in boots]
    assert len(both) == len(first) + len(second)
    assert min(frame.time_us for frame in second) > max(frame.time_us for frame in first)
    assert len({(frame.robot_id, frame.boot_id, frame.seq) for frame in both}) == len(both)


async def test_a_robot_breaks_on_demand_and_a_stop_of_the_simulator_loses_nothing(
    lander: Pipeline,
) -> None:
    lander.start("simulate")
    done = lander.command("demo", "break", "2", "--fault", "battery")
    assert done.returncode == 0, done.stderr
    code = done.stdout.partition(":")[0]
    connection = await asyncpg.connect(lander.database_url)
    broken = 0
    while not broken:
        broken = await connection.fetchval(
            "SELECT count(*) FROM frame WHERE robot_id = $1 AND battery_soh < 0.8", code
        )
    others = await connection.fetchval(
        "SELECT count(*) FROM frame WHERE robot_id <> $1 AND battery_soh < 0.8", code
    )
    await connection.close()
    assert others == 0
    assert lander.stop() == {"simulate": 0, "land": 0}
    for frames in _by_robot([decode_frame(r.value) for r in await all_frames(lander.kafka)]).values():
        assert [frame.seq for frame in frames] == list(range(len(frames)))
