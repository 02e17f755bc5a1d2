"""The questions that people ask, on a real database: `serve/queries/`."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from schemas.errors import UnavailableError
from schemas.health import Status
from schemas.robot_code import make_code
from serve import database

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


async def test_an_episode_is_open_until_it_is_cleared(connection):
    columns = (
        "episode_id, number, robot_id, episode, transition, rule, rule_version, component, signal, status, unit, "
        "first_time, last_time, count, live, software, scenario, text"
    )
    for number, transition in ((1, "opened"), (2, "cleared")):
        await connection.execute(
            f"INSERT INTO anomaly ({columns}) VALUES ('e', $1, $2, 1, $3, 'limit', 1, 'joint/1', 'joint_wear', "
            "'OFF_SPEC', '1', $4, $4, 1, true, '1.0', 'lab', 'worn')",
            number,
            ILL,
            transition,
            NOW,
        )
        open_now = [episode.episode_id for episode in await database.open_episodes(connection, ILL)]
        assert open_now == (["e"] if transition == "opened" else [])
    assert [line.transition for line in await database.latest_anomalies(connection, 5)] == ["cleared", "opened"]


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
