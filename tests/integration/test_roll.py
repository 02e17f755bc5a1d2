"""Hours always end equal to what vitals say, whatever comes late, whoever is killed; on a real TimescaleDB."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from ingest.batch import make_batch
from ingest.landing import Landing
from ingest.statements import store
from processors import retain, roll, roll_tables
from processors.hourly import HOUR_US
from processors.roll import Roller
from schemas.robot_code import make_code
from schemas.topics import VITALS
from schemas.vitals import REPAIRED, Vitals, encode_vitals
from support import hours
from support.frames import FakeRecord
from support.hours import MINUTE_US, START_US

CODES = [make_code("ZZ", "TEST", "MODEL1", str(number)) for number in range(3)]
NEW = make_code("ZZ", "TEST", "MODEL1", "9")
NOW = datetime.fromtimestamp(START_US / 1e6, UTC) + timedelta(hours=2, minutes=30)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await retain.connect(database_url)
    await _know(opened, CODES)
    yield opened
    await opened.close()


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database_url)
    yield opened
    await opened.close()


async def _know(connection: asyncpg.Connection, codes: Sequence[str]) -> None:
    for code in codes:
        await connection.execute("INSERT INTO robot (robot_id, first_time) VALUES ($1, now())", code)


def _windows(codes: Sequence[str] = CODES, minutes: Sequence[int] = (0, 7, 59, 61, 100)) -> list[Vitals]:
    return [hours.window(codes, START_US + minute * MINUTE_US, seed=minute + 1) for minute in minutes]


async def _land(connection: asyncpg.Connection, windows: Sequence[Vitals], deduplicate: bool = False) -> None:
    """As the lander does, inside the caller's transaction if there is one."""
    records = [FakeRecord(b"", encode_vitals(window), offset=at) for at, window in enumerate(windows)]
    async with connection.transaction():
        await store(connection, make_batch(VITALS.name, records, {0: 0}).content, deduplicate)


async def _roll_all(roller: Roller) -> int:
    """Returns how many robots' hours were rolled up."""
    total = 0
    while rolled := await roller.roll():
        total += rolled
    return total


async def _assert_equal(connection: asyncpg.Connection) -> int:
    """Hours against vitals; returns how many there are."""
    expected = hours.hours_of(await connection.fetch("SELECT * FROM vitals"))
    rows = await connection.fetch("SELECT * FROM vitals_hourly")
    found = {(row["robot_id"], round(row["start"].timestamp() * 1e6)): dict(row) for row in rows}
    assert found.keys() == expected.keys()
    for key, hour in expected.items():
        hours.assert_same(found[key], hour)
    return len(found)


async def test_each_robot_has_a_row_an_hour_equal_to_its_windows(connection: asyncpg.Connection):
    await _land(connection, _windows())
    roller = Roller(connection)
    assert await roller.claim(NOW)
    assert await _roll_all(roller) >= 6
    assert await _assert_equal(connection) == 6


async def test_an_hour_that_is_not_over_is_left_for_later(connection: asyncpg.Connection):
    await _land(connection, _windows(minutes=(30, 90)))
    roller = Roller(connection)
    await roller.claim(NOW - timedelta(hours=1))
    await _roll_all(roller)
    assert await connection.fetchval("SELECT count(*) FROM vitals_hourly") == len(CODES)
    await roller.claim(NOW)
    await _roll_all(roller)
    assert await _assert_equal(connection) == 2 * len(CODES)


async def test_windows_that_land_or_are_repaired_after_their_hour_change_it(connection: asyncpg.Connection):
    await _land(connection, _windows())
    roller = Roller(connection)
    await roller.claim(NOW)
    await _roll_all(roller)
    more = hours.window(CODES[:1], START_US + 7 * MINUTE_US, seed=99, kind=REPAIRED)
    more.frames = (60).to_bytes(4, "little")
    await _land(connection, [*_windows(minutes=(33,)), more], deduplicate=True)
    assert await _roll_all(roller) == len(CODES)
    await _assert_equal(connection)
    assert await _roll_all(roller) == 0


async def test_what_is_in_time_notes_nothing(connection: asyncpg.Connection):
    await _land(connection, _windows())
    assert await connection.fetchval("SELECT count(*) FROM hourly_due") == 0


async def test_a_batch_that_was_under_way_at_the_claim_is_waited_for(
    connection: asyncpg.Connection, other: asyncpg.Connection
):
    await _land(connection, _windows(minutes=(1,)))
    under_way = other.transaction()
    await under_way.start()
    await _land(other, _windows(minutes=(2,)))
    roller = Roller(connection)
    await roller.claim(NOW)
    assert await roller.roll() is None
    await under_way.commit()
    await _roll_all(roller)
    assert await _assert_equal(connection) == len(CODES)
    assert await connection.fetchval("SELECT max(windows) FROM vitals_hourly") == 2


async def test_a_roll_up_that_is_killed_leaves_its_hours_due(
    connection: asyncpg.Connection, other: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
):
    await _land(connection, _windows())
    roller = Roller(connection)
    await roller.claim(NOW)

    async def die(*_: Any) -> None:
        connection.terminate()

    monkeypatch.setattr(roll_tables, "finish", die)
    with pytest.raises(asyncpg.InterfaceError):
        await roller.roll()
    monkeypatch.undo()
    again = Roller(other)
    await again.claim(NOW)
    await _roll_all(again)
    assert await _assert_equal(other) == 6


async def test_a_robot_that_becomes_known_late_is_rolled_up_from_its_first_window(connection: asyncpg.Connection):
    await _land(connection, [*_windows(), *_windows([NEW])])
    roller = Roller(connection)
    await roller.claim(NOW)
    await _roll_all(roller)
    await _know(connection, [NEW])
    await roller.claim(NOW + timedelta(hours=1))
    await _roll_all(roller)
    assert await _assert_equal(connection) == 8


async def test_what_comes_for_a_dropped_hour_does_not_take_its_place(connection: asyncpg.Connection):
    await _land(connection, _windows())
    roller = Roller(connection)
    await roller.claim(NOW)
    await _roll_all(roller)
    before = await connection.fetch("SELECT * FROM vitals_hourly ORDER BY robot_id, start")
    await connection.execute("DELETE FROM vitals")
    await connection.execute("UPDATE hourly_state SET kept_from = $1", NOW)
    await _land(connection, _windows(minutes=(5,)))
    assert await _roll_all(roller) == len(CODES)
    assert await connection.fetch("SELECT * FROM vitals_hourly ORDER BY robot_id, start") == before


async def test_one_session_rolls_up_at_a_time(connection: asyncpg.Connection, other: asyncpg.Connection):
    assert await roll_tables.is_ours(connection)
    assert not await roll_tables.is_ours(other)


async def test_landing_never_waits_for_the_roll_up(connection: asyncpg.Connection, database_url: str):
    await _land(connection, _windows())
    roller = Roller(connection)
    await roller.claim(NOW)
    landing = Landing(database_url)
    await landing.offsets(VITALS.name, {0: 0})
    async with connection.transaction():
        hours_due = await roll_tables.due(connection)
        await roll_tables.finish(connection, hours_due)
        record = FakeRecord(b"", encode_vitals(_windows(minutes=(44,))[0]), offset=0)
        await asyncio.wait_for(landing.land(make_batch(VITALS.name, [record], {0: 0})), 30)
    await landing.close()
    assert await connection.fetchval("SELECT count(*) FROM hourly_due") == len(CODES)


def test_an_hour_counts_as_over_some_minutes_after_its_end():
    end = datetime.fromtimestamp((START_US + HOUR_US) / 1e6, UTC)
    assert roll.complete_until(end) == end - timedelta(hours=1)
    assert roll.complete_until(end + roll.AFTER) == end
