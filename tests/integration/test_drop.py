"""Old chunks go, and none that somebody still needs; on a real TimescaleDB."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from deploy.commands import retain as command
from processors import drop, retain
from processors.retain_metrics import RetainMetrics
from processors.retention import keep_times
from schemas.errors import UnavailableError
from schemas.robot_code import make_code

CODE = make_code("ZZ", "TEST", "MODEL1", "1")
NOW = datetime.now(UTC)
KEEP = keep_times({"ROBOVITALS_KEEP_VITALS": "30d"})


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await retain.connect(database_url)
    await opened.execute("INSERT INTO robot (robot_id, first_time) VALUES ($1, $2)", CODE, NOW)
    for days in (1, 20, 100):
        await opened.execute(
            "INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario, "
            "software) VALUES ($1, $2, 0, 1, 0, $2, 1, false, '', '')",
            CODE,
            NOW - timedelta(days=days),
        )
        await opened.execute(
            "INSERT INTO vitals (robot_id, start, length_us, kind, frames, first_seq, last_seq, boot_id, missing, "
            "last_time, received, fault_frames, backfill_frames, mode, software, scenario, battery_soc_min) "
            "VALUES ($1, $2, 10000000, 0, 10, 0, 9, 1, 0, $2, $2, 0, 0, 1, '', '', 0.5)",
            CODE,
            NOW - timedelta(days=days),
        )
        await opened.execute(
            "INSERT INTO reject VALUES ('telemetry.frames', 0, $1, $2, 'undecodable', '', '', '')",
            days,
            NOW - timedelta(days=days),
        )
        await opened.execute(
            "INSERT INTO security_event VALUES ($1, $2, 'seal_wrong', true, 0, 1, $3, $3, 0, 0, '')",
            (NOW - timedelta(days=days)).date(),
            CODE,
            NOW - timedelta(days=days),
        )
    yield opened
    await opened.close()


async def _count(connection: asyncpg.Connection, table: str) -> int:
    return await connection.fetchval(f"SELECT count(*) FROM {table}")


async def test_once_rolls_up_drops_and_deletes_what_is_old_enough(
    connection: asyncpg.Connection, database_url: str, capsys: pytest.CaptureFixture[str]
):
    assert await command._once(database_url, KEEP) == 0
    assert await _count(connection, "vitals_hourly") == 3
    kept = [await _count(connection, table) for table in ("frame", "vitals", "reject", "security_event")]
    assert kept == [1, 2, 2, 2]
    assert "nothing is old enough" in capsys.readouterr().out
    kept_from = await connection.fetchval("SELECT kept_from FROM hourly_state")
    assert NOW - timedelta(days=100) < kept_from < NOW - timedelta(days=30)


async def test_a_dry_run_shows_what_would_go_and_changes_nothing(
    connection: asyncpg.Connection, database_url: str, capsys: pytest.CaptureFixture[str]
):
    assert await command._dry_run(database_url, KEEP) == 0
    told = capsys.readouterr().out
    assert told.count("goes") == 2
    assert told.count("stays: it is not rolled up yet") == 1
    assert "reject, 1 rows: go" in told
    assert [await _count(connection, table) for table in ("frame", "vitals", "reject")] == [3, 3, 3]


@pytest.mark.parametrize("days", [20, 100])
async def test_frames_of_a_window_to_be_repaired_stay(connection: asyncpg.Connection, database_url: str, days: int):
    at = NOW - timedelta(days=days)
    await connection.execute("INSERT INTO late_window VALUES ($1, $2, 10000000, 0, 7, 'window_closed')", CODE, at)
    assert await command._once(database_url, KEEP) == 0
    assert await connection.fetchval("SELECT count(*) FROM frame WHERE time = $1", at) == 1
    assert await _count(connection, "frame") == 2


@pytest.mark.parametrize(
    "note",
    [
        "INSERT INTO hourly_due (robot_id, start) VALUES ($1, $2)",
        "INSERT INTO late_window VALUES ($1, $2, 10000000, 0, 7, 'window_closed')",
    ],
)
async def test_a_note_that_comes_after_the_look_takes_the_drop_back(connection: asyncpg.Connection, note: str):
    await connection.execute("UPDATE hourly_state SET rolled_until = $1", NOW)
    (verdict,) = [v for v in await drop.look(connection, KEEP, NOW) if v.chunk.table == "vitals"]
    await connection.execute(note, CODE, NOW - timedelta(days=100))
    assert not await drop.drop(connection, verdict.chunk)
    assert await _count(connection, "vitals") == 3
    assert await connection.fetchval("SELECT kept_from = '-infinity' FROM hourly_state")


async def test_the_second_of_two_says_that_the_first_is_at_it(connection: asyncpg.Connection, database_url: str):
    await connection.execute("SELECT pg_advisory_lock($1)", retain.roll_tables._LOCK)
    with pytest.raises(UnavailableError, match="another `robovitals retain` is at it"):
        await command._once(database_url, KEEP)


async def test_the_process_rolls_up_and_ends_when_told(connection: asyncpg.Connection, database_url: str):

    registry, stop = CollectorRegistry(), asyncio.Event()
    process = retain.Retainer(database_url, KEEP, RetainMetrics.create(registry))
    assert process.not_ready() is not None
    running = asyncio.create_task(process.run(stop))
    while await _count(connection, "vitals") == 3:
        assert not running.done()
        await asyncio.sleep(0.05)
    stop.set()
    await running
    assert process.not_ready() is None
    assert registry.get_sample_value("robovitals_retain_rolled_hours_total") >= 3
    assert registry.get_sample_value("robovitals_retain_dropped_chunks_total", {"table": "vitals"}) == 1


async def test_deliveries_go_but_for_the_last_word_on_what_is_open(connection: asyncpg.Connection):
    long_ago = NOW - timedelta(days=100)
    for episode, phase in (("open", "open"), ("held", "held"), ("over", "closed")):
        await connection.execute(
            "INSERT INTO delivery (delivery_id, receiver, route, bundle, event_id, episode_id, robot_id, "
            "transition, status, event, created, ready, due, state, finished) "
            "VALUES ($1, 'hook', '', '', $1, $1, $2, 'opened', 'FAILURE', '', $3, $3, $3, 'delivered', $3)",
            episode, CODE, long_ago,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO told (receiver, episode_id, phase, number, route, held, returned, parent, changed) "
            "VALUES ('hook', $1, $2, 1, '', '', false, '', $3)",
            episode, phase, long_ago,
        )  # fmt: skip
    assert (await drop.old_rows(connection, KEEP, NOW))["delivery"] == 1
    assert (await drop.delete_rows(connection, KEEP, NOW))["delivery"] == 1
    assert [row[0] for row in await connection.fetch("SELECT episode_id FROM delivery ORDER BY 1")] == [
        "held",
        "open",
    ]


async def test_a_chunk_that_somebody_reads_for_long_stays_and_the_others_go(
    connection: asyncpg.Connection, database_url: str
):
    reader = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET lock_timeout = '50ms'")
        oldest, newer = [v.chunk for v in await drop.look(connection, KEEP, NOW) if v.chunk.table == "frame"]
        async with reader.transaction():
            await reader.fetch("SELECT * FROM frame WHERE time < $1", oldest.end)
            assert not await drop.drop(connection, oldest)
            assert await drop.drop(connection, newer)
        assert await drop.drop(connection, oldest)
    finally:
        await reader.close()
