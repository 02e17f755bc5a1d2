"""A robot's fault from its frame to its incident, through every process and the real servers; and not twice."""

import time

import asyncpg
import msgspec
import pytest

from schemas.topics import FRAMES
from support.incidents import CODE
from support.land import produce, until
from support.pipeline import pipeline

PROCESSES = ("land", "summarise", "assess", "retain")
BEFORE, FRAMES_SENT = 300, 450


@pytest.fixture
def running(tmp_path, topics, database_url):
    with pipeline(tmp_path, topics, database_url) as started:
        for name in PROCESSES:
            started.start(name)
        yield started


def sent(first_us: int) -> list[tuple[bytes, bytes]]:
    """Ten frames a second: 30 s of work, then a fault."""
    frames = [
        {"v": 1, "robot_id": CODE, "boot_id": 7, "seq": seq, "time_us": first_us + seq * 100_000,
         "mode": "fault" if seq >= BEFORE else "working", "readings": {"battery_soc": 0.5}}
        for seq in range(FRAMES_SENT)
    ]  # fmt: skip
    return [(CODE.encode(), msgspec.json.encode(frame)) for frame in frames]


async def test_a_fault_mode_frame_opens_an_incident_by_itself_and_a_replay_opens_none(running, topics):
    first_us = time.time_ns() // 1000 - FRAMES_SENT * 100_000
    connection = await asyncpg.connect(running.database_url)

    async def completed() -> bool:
        return bool(await connection.fetchval("SELECT count(*) FROM incident WHERE completed IS NOT NULL"))

    async def read_again() -> bool:
        return bool(
            await connection.fetchval("SELECT sum(next_offset) >= 900 FROM landed WHERE topic = $1", FRAMES.name)
        )

    await produce(topics, sent(first_us))
    await until(completed, "the incident is completed")
    (row,) = await connection.fetch(
        "SELECT robot_id, opened_by, (extract(epoch FROM at) * 1e6)::bigint AS us FROM incident"
    )
    assert tuple(row) == (CODE, "fault", first_us + BEFORE * 100_000)
    await produce(topics, sent(first_us))
    await until(read_again, "what was sent again has landed")
    await running.settled()
    assert await connection.fetchval("SELECT count(*) FROM incident") == 1
    assert await connection.fetchval("SELECT count(*) FROM incident_fault") == 1
    await connection.close()
    assert set(running.stop().values()) == {0}
