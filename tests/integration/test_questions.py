"""The questions that people ask, on a real database: `serve/queries/`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from ingest.anomaly_rows import add_anomalies
from schemas.anomaly import AlarmState, Anomaly, Transition
from schemas.errors import UnavailableError
from schemas.health import Status
from schemas.robot_code import make_code
from serve import database
from support import messages
from support.frames import TIME_US

ILL, WELL, NEW = (make_code("ZZ", "TEST", "MODEL1", str(number)) for number in (1, 2, 3))
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def connection(database_url):
    opened = await database.connect(database_url)
    for code in (ILL, WELL, NEW):
        await opened.execute(
            "INSERT INTO robot (robot_id, first_time) VALUES ($1, $2)", code, NOW - timedelta(days=1)
        )
    for code, status, episodes in ((ILL, "OFF_SPEC", 1), (WELL, "NORMAL", 0)):
        await opened.execute(
            "INSERT INTO health VALUES ($1, $2, $2, $2, $3, 'A', 'working', '1.0', 'lab', $4, '[]')",
            code,
            NOW - timedelta(minutes=4),
            status,
            episodes,
        )
    for time in (NOW - timedelta(seconds=2), NOW + timedelta(hours=1)):
        await opened.execute(
            "INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario, "
            "software, joint_wear, battery_soc) "
            "VALUES ($1, $2, 0, 1, 0, $3, 1, false, 'lab', '1.0', '{0.25,NULL}', 0.5)",
            ILL,
            time,
            NOW,
        )
    yield opened
    await opened.close()


async def test_robots_are_counted_by_status_and_one_without_a_judgement_is_unknown(connection):
    counts = await database.status_counts(connection)
    assert {status: count for status, count in counts.items() if count} == {
        "OFF_SPEC": 1,
        "UNKNOWN": 1,
        "NORMAL": 1,
    }


async def test_the_worst_robots_come_first_with_the_time_of_their_newest_frame(connection):
    worst = await database.worst_robots(connection, 10)
    assert [(robot.robot_id, robot.status) for robot in worst] == [
        (ILL, Status.OFF_SPEC),
        (NEW, Status.UNKNOWN),
        (WELL, Status.NORMAL),
    ]
    assert worst[0].last_seen == NOW - timedelta(seconds=2), "and not of the frame whose clock is ahead"
    assert worst[1].last_seen is None
    assert [robot.robot_id for robot in await database.worst_robots(connection, 1)] == [ILL]


async def test_one_robot_is_found_by_its_code_and_similar_codes_by_a_piece(connection):
    found = await database.robot(connection, ILL)
    assert found is not None
    assert (found.status, found.last_seen) == ("OFF_SPEC", NOW - timedelta(seconds=2))
    assert await database.robot(connection, "?") is None
    assert await database.similar_robots(connection, "MODEL1") == [ILL, WELL, NEW]


def _told(number: int, transition: Transition, code: str = ILL, **changes: Any) -> Anomaly:
    usual: dict[str, Any] = {
        "robot_id": code, "episode_id": f"e-{code}", "number": number, "transition": transition,
        "last_us": TIME_US + number, "cause": "limit|||M|1.0", **changes,
    }  # fmt: skip
    return msgspec.structs.replace(messages.ANOMALY, **usual)


async def test_an_episode_is_open_until_it_is_cleared(connection):
    await add_anomalies(connection, [_told(1, Transition.OPENED)])
    assert [episode.episode_id for episode in await database.open_episodes(connection, ILL)] == [f"e-{ILL}"]
    await add_anomalies(connection, [_told(2, Transition.CLEARED, active=False)])
    assert await database.open_episodes(connection, ILL) == []
    assert [line.transition for line in await database.latest_anomalies(connection, 5)] == ["cleared", "opened"]


async def test_alarms_are_listed_worst_first_and_the_muted_last(connection):
    told = [
        _told(1, Transition.OPENED, episode_id="worn", status=Status.MAINTENANCE_REQUIRED),
        _told(1, Transition.OPENED, episode_id="hot"),
        _told(1, Transition.ACKNOWLEDGED, episode_id="known", state=AlarmState.ACKNOWLEDGED_ACTIVE, actor="Ada"),
        _told(1, Transition.CLEARED, episode_id="gone", active=False, state=AlarmState.UNACKNOWLEDGED_CLEARED),
        _told(1, Transition.SHELVED, episode_id="shelved", state=AlarmState.SHELVED),
        _told(1, Transition.ADOPTED, episode_id="adopted", parent="p"),
        _told(1, Transition.CLEARED, episode_id="over", active=False, state=AlarmState.NORMAL),
        _told(1, Transition.OPENED, code=WELL, episode_id="other", first_us=TIME_US + 1),
    ]
    await add_anomalies(connection, told)
    listed = await database.alarms(connection)
    assert [alarm.episode_id for alarm in listed] == [
        "hot", "other", "worn", "known", "gone", "adopted", "shelved",
    ]  # fmt: skip
    assert listed[3].actor == "Ada"
    assert [a.episode_id for a in await database.alarms(connection, WELL)] == ["other"]
    assert [a.episode_id for a in await database.alarms(connection, with_muted=False, count=9)][-1] == "gone"
    assert await database.alarm_counts(connection) == {
        "unacknowledged_active": 3, "acknowledged_active": 1, "unacknowledged_cleared": 1, "shelved": 1, "muted": 1,
    }  # fmt: skip


async def test_the_newest_rows_of_a_robot_come_by_column_name(connection: asyncpg.Connection):
    newest = await database.latest_frames(connection, ILL, 5)
    assert [row["time"] for row in newest] == [NOW + timedelta(hours=1), NOW - timedelta(seconds=2)]
    assert newest[0]["joint_wear"] == [0.25, None]
    assert await database.latest_vitals(connection, ILL, 5) == []


async def test_a_database_without_tables_names_the_command_that_makes_them(stack):
    empty = await database.connect(stack.database_url)
    with pytest.raises(UnavailableError, match="robovitals migrate"):
        await database.status_counts(empty)
    await empty.close()
