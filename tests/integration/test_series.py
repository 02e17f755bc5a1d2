"""A robot's past as a chart asks for it, on a real database: resolutions, gaps, limits, baselines."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from schemas.errors import SettingError
from schemas.limits import read_limits
from schemas.robot_code import make_code
from schemas.signals import Limit, Statistic
from serve import database
from serve.people import Role
from serve.series import Resolution, series
from serve.span import RANGES
from support import two_fleets
from support.asgi import ask

CODE = make_code("ZZ", "TEST", "MODEL1", "1")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
NOW = two_fleets.NOW


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await database.connect(database_url)
    await opened.execute("UPDATE hourly_state SET rolled_until = $1", NOON)
    yield opened
    await opened.close()


async def _frames(connection: asyncpg.Connection, seconds: list[int]) -> None:
    for at in seconds:
        await connection.execute(
            "INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario, "
            "software, joint_temperature_c, battery_soc) "
            "VALUES ($1, $2, $3, 1, 0, $2, 1, false, '', '', ARRAY[$4, NULL]::real[], 0.5)",
            CODE, NOON + at * SECOND, at, float(at),
        )  # fmt: skip


async def _windows(connection: asyncpg.Connection, start: datetime, count: int) -> None:
    for at in range(count):
        await connection.execute(
            "INSERT INTO vitals (robot_id, start, length_us, kind, frames, first_seq, last_seq, boot_id, missing, "
            "last_time, received, fault_frames, backfill_frames, mode, software, scenario, "
            "joint_temperature_c_mean, joint_temperature_c_min, joint_temperature_c_max, joint_temperature_c_last) "
            "VALUES ($1, $2, 60000000, 0, 60, 0, 9, 1, 0, $2, $2, 0, 0, 1, '', '', '{40, 50}', '{30, 45}', "
            "'{60, 55}', '{41, 51}')",
            CODE, start + at * timedelta(minutes=1),
        )  # fmt: skip


async def _hours(connection: asyncpg.Connection, hours: list[int]) -> None:
    for at in hours:
        await connection.execute(
            "INSERT INTO vitals_hourly (robot_id, start, windows, seen_s, frames, missing, fault_frames, "
            "backfill_frames, boots, last_time, received, mode, software, scenario, joint_temperature_c_mean, "
            "joint_temperature_c_min, joint_temperature_c_max, joint_temperature_c_last) VALUES ($1, $2, 60, 3600, "
            "3600, 0, 0, 0, 1, $2, $2, 1, '', '', '{35, 36}', '{20, 21}', '{70, 71}', '{33, 34}')",
            CODE, NOON + at * HOUR,
        )  # fmt: skip


async def test_an_hour_comes_from_frames_and_a_gap_is_a_point_of_nothing(connection: asyncpg.Connection):
    await _frames(connection, [0, 1, 2, 3, 30, 31, 32])
    found = await series(connection, CODE, "joint_temperature_c", [1], NOON, NOON + HOUR, points=2000)
    assert found.resolution is Resolution.RAW
    assert found.step_us == 2_000_000
    (curve,) = found.curves
    assert curve.value == [0.5, 2.5, None, 30.5, 32.0]
    assert (curve.low[0], curve.high[0]) == (0.0, 1.0)
    assert found.count == [2, 2, 0, 2, 1]
    assert found.time_us == sorted(set(found.time_us))
    assert (found.unit, found.above, found.below) == ("°C", Limit(warn=80, alarm=90, deadband=3), None)


async def test_the_envelope_of_frames_of_means_is_their_extremes(connection: asyncpg.Connection):
    await _frames(connection, [0, 1, 2, 3])
    await connection.execute(
        "UPDATE frame SET lowest = '{-5, NULL, 0.25}', highest = '{70, NULL, 0.875}', "
        "extremes_layout = '2:joint_temperature_c,battery_soc' WHERE seq = 1"
    )
    found = await series(connection, CODE, "joint_temperature_c", [1, 2], NOON, NOON + HOUR, points=2000)
    first, second = found.curves
    assert (first.value, first.low, first.high) == ([0.5, 2.5], [-5.0, 2.0], [70.0, 3.0])
    assert (second.low, second.high) == ([None, None], [None, None])
    charge = await series(connection, CODE, "battery_soc", [], NOON, NOON + HOUR, 2000, Statistic.MIN)
    (curve,) = charge.curves
    assert (curve.value, curve.low, curve.high) == ([0.25, 0.5], [0.25, 0.5], [0.875, 0.5])


async def test_what_was_absent_is_null_and_no_gap(connection: asyncpg.Connection):
    await _frames(connection, [0, 1, 2, 3])
    found = await series(connection, CODE, "joint_temperature_c", [2], NOON, NOON + 4 * SECOND, points=4)
    assert found.curves[0].value == [None] * 4
    assert found.count == [1, 1, 1, 1]


async def test_a_robot_that_sends_rarely_has_no_gaps_between_its_frames(connection: asyncpg.Connection):
    await _frames(connection, [0, 20, 40, 60])
    found = await series(connection, CODE, "battery_soc", [], NOON, NOON + 100 * SECOND, points=100)
    assert found.curves[0].value == [0.5] * 4


async def test_a_day_comes_from_vitals_with_their_lowest_and_highest(connection: asyncpg.Connection):
    await _windows(connection, NOON - 20 * HOUR, 10)
    await _windows(connection, NOON - 10 * HOUR, 10)
    found = await series(connection, CODE, "joint_temperature_c", [1, 2], NOON - 24 * HOUR, NOON, points=288)
    assert found.resolution is Resolution.VITALS
    assert found.step_us == 300_000_000
    assert [curve.value for curve in found.curves] == [[40, 40, None, 40, 40], [50, 50, None, 50, 50]]
    assert (found.curves[0].low[0], found.curves[0].high[0]) == (30, 60)
    assert found.count == [300, 300, 0, 300, 300]


async def test_a_year_comes_from_hours_and_the_running_hour_from_vitals(connection: asyncpg.Connection):
    await _hours(connection, [-30, -29, -2, -1])
    await _windows(connection, NOON - HOUR, 3)
    await _windows(connection, NOON, 3)
    found = await series(connection, CODE, "joint_temperature_c", [1], NOON - 60 * HOUR, NOON + HOUR)
    assert found.resolution is Resolution.HOURLY
    assert found.curves[0].value == [35, 35, None, 35, 35, 40]
    year = await series(connection, CODE, "joint_temperature_c", [1], NOON - 8760 * HOUR, NOON + HOUR)
    assert sum(year.count) == 4 * 3600 + 180
    assert len(year.time_us) <= 1001


async def test_what_is_not_kept_as_frames_any_more_is_answered_from_what_is_coarser(connection: asyncpg.Connection):
    await _hours(connection, [-500])
    found = await series(connection, CODE, "joint_temperature_c", [1], NOON - 500 * HOUR, NOON - 499 * HOUR)
    assert (found.resolution, found.curves[0].value) == (Resolution.HOURLY, [35])


async def test_all_joints_are_those_that_the_robot_has(connection: asyncpg.Connection):
    await _windows(connection, NOON - HOUR, 1)
    found = await series(connection, CODE, "joint_temperature_c", [], NOON - 24 * HOUR, NOON)
    assert [curve.joint for curve in found.curves] == [1, 2]


async def test_many_joints_come_without_envelopes(connection: asyncpg.Connection):
    await _windows(connection, NOON - HOUR, 1)
    found = await series(connection, CODE, "joint_temperature_c", range(1, 30), NOON - 24 * HOUR, NOON)
    assert [curve.value for curve in found.curves] == [[40], [50], *[[None]] * 27]
    assert found.curves[0].low == found.curves[0].high == []


async def test_a_statistic_can_be_asked_for(connection: asyncpg.Connection):
    await _windows(connection, NOON - HOUR, 2)
    found = await series(
        connection, CODE, "joint_temperature_c", [1], NOON - 24 * HOUR, NOON, statistic=Statistic.MAX
    )
    assert (found.statistic, found.curves[0].value[0]) == ("max", 60)


async def test_a_robot_of_which_nothing_is_known_has_empty_curves(connection: asyncpg.Connection):
    found = await series(connection, CODE, "battery_soc", [], NOON - 8760 * HOUR, NOON)
    assert (found.time_us, found.curves[0].value) == ([], [])


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"signal": "drop table"}, "is not a signal"),
        ({"joints": [0]}, "joints count from 1"),
        ({"signal": "battery_soc", "joints": [1]}, "only joints' signals have"),
        ({"statistic": Statistic.RMS}, "is kept as last, mean, min, max, not rms"),
        ({"points": 2001}, "1 to 2000 points"),
        ({"end": NOON - HOUR}, "a start before its end"),
    ],
)
async def test_what_cannot_be_asked_is_refused(connection: asyncpg.Connection, asked: dict, text: str):
    usual = {"signal": "joint_temperature_c", "joints": [1], "start": NOON, "end": NOON + HOUR}
    with pytest.raises(SettingError, match=text):
        await series(connection, CODE, **(usual | asked))


async def test_the_api_tells_the_limits_of_the_robots_model(
    connection: asyncpg.Connection, database_url: str
) -> None:
    own = read_limits({CODE[:12]: {"joint_temperature_c": {"above": {"warn": 40, "alarm": 50, "deadband": 1}}}}, "")
    admin = await two_fleets.token(connection, Role.ADMIN)
    asked = f"/api/v1/robots/{CODE}/series?signal=joint_temperature_c"
    for limits, alarm in ((own, 50), (None, 90)):
        async with two_fleets.application(database_url, limits=limits) as app:
            (told,) = msgspec.json.decode((await ask(app, "GET", asked, admin)).body)
            assert told["above"]["alarm"] == alarm


@pytest.mark.parametrize("width", RANGES.values(), ids=list(RANGES))
async def test_every_range_of_the_page_is_answered_to_who_sees_a_part_of_the_fleet(
    connection: asyncpg.Connection, database_url: str, width: timedelta
) -> None:
    """Also those that are made of hours: how far these go is asked by the one who looks."""
    await two_fleets.fill(connection)
    viewer = await two_fleets.token(connection, Role.VIEWER, ["ours"])
    ends = f"from={(NOW - width).isoformat()}&to={NOW.isoformat()}".replace("+", "%2B")
    async with two_fleets.application(database_url) as app:
        path = f"/api/v1/robots/{two_fleets.OURS}/series?signal=battery_soc&{ends}"
        answer = await ask(app, "GET", path, viewer)
    assert answer.status == 200, answer.text
