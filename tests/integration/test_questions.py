"""The questions that people ask, on a real database: `serve/queries/`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from deploy.commands import explain
from ingest.action_rows import add_actions
from ingest.anomaly_rows import add_anomalies
from schemas.action import Action, Kind
from schemas.anomaly import AlarmState, Anomaly, Transition
from schemas.errors import UnavailableError
from schemas.health import ComponentHealth, Evidence, Status, Zone
from schemas.limits import Limits
from schemas.robot_code import make_code
from schemas.signals import SIGNALS, Component
from serve import database, figures
from serve.filters import Filter
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
    history = await database.history(connection, ILL, "joint/2", 5)
    assert [(line.number, line.transition) for line in history] == [(2, "cleared"), (1, "opened")]
    assert await database.history(connection, ILL, "", 5) == history
    assert await database.history(connection, ILL, "joint/1", 5) == []


async def add_windows(connection, temperatures):
    """10 s windows of one robot, its second joint this warm; None for a window without a value."""
    columns = (
        "robot_id, start, length_us, kind, frames, first_seq, last_seq, boot_id, missing, last_time, received, "
        "fault_frames, backfill_frames, mode, software, scenario, joint_temperature_c_max"
    )
    for number, warm in enumerate(temperatures):
        start = MINUTE + timedelta(seconds=10 * number)
        await connection.execute(
            f"INSERT INTO vitals ({columns}) "
            "VALUES ($1, $2, 10000000, 0, 10, 0, 9, 1, 0, $2, $2, 0, 0, 1, '1.0', 'lab', $3)",
            ILL,
            start,
            [40.0, warm],
        )


MINUTE = NOW.replace(second=0) - timedelta(minutes=5)


async def test_a_figure_of_windows_is_told_by_stretches_of_time(connection):
    await add_windows(connection, [50.0, 60.0, None, 80.0, 90.0, 95.0])
    figure = figures.of_signal("joint_temperature_c", 2, "max")
    until = MINUTE + timedelta(seconds=50)
    found = await database.stretches(connection, ILL, figure, MINUTE, until, timedelta(seconds=10))
    assert [stretch.value for stretch in found] == [50, 60, None, 80, 90]
    assert found[1].time == MINUTE + timedelta(seconds=10)
    by_minute = await database.stretches(connection, ILL, figure, MINUTE, NOW, timedelta(minutes=1))
    assert [(stretch.value, stretch.frames) for stretch in by_minute] == [(95, 60)]


async def test_every_figure_can_be_asked_for(connection):
    await add_windows(connection, [50.0])
    asked = [figures.of_count(name) for name in figures.COUNTS]
    for signal in SIGNALS:
        joint = 1 if signal.component is Component.JOINT else 0
        asked += [figures.of_signal(signal.name, joint, statistic) for statistic in signal.statistics]
    for figure in asked:
        (found,) = await database.stretches(connection, ILL, figure, MINUTE, NOW, timedelta(days=1))
        assert found.frames == 10


async def test_an_explanation_holds_the_windows_around_the_first_sign_and_the_latest(connection, database_url):
    await add_windows(connection, [50.0 + number for number in range(20)])
    first = MINUTE + timedelta(seconds=53)
    hot = Evidence(
        rule="limit",
        signal="joint_temperature_c",
        value=69.0,
        unit="°C",
        limit=55.0,
        since_us=int(first.timestamp() * 1_000_000),
        last_us=int((first + timedelta(seconds=140)).timestamp() * 1_000_000),
        text="hot",
        side="above",
    )
    component = ComponentHealth(component="joint/2", status=Status.OFF_SPEC, zone=Zone.D, evidence=[hot])
    stored = msgspec.json.encode([component]).decode()
    await connection.execute("UPDATE health SET components = $2::text::jsonb WHERE robot_id = $1", ILL, stored)
    explained = await explain._explained(database_url, ILL, None, Limits())
    (why,) = explained.components
    (reason,) = why.reasons
    assert [stretch.value for stretch in reason.stretches] == [52, 53, 54, 55, 56, 57, 58, 68, 69]
    assert [(one.signal, one.value) for one in why.standings] == [("joint_temperature_c", 69)]
    assert why.last_value == NOW - timedelta(seconds=2)
    assert msgspec.json.decode(msgspec.json.encode(explained))["state"]["robot_id"] == ILL


async def test_a_robot_of_which_nothing_has_landed_is_an_error_that_names_others(connection, database_url):
    unknown = make_code("ZZ", "TEST", "MODEL1", "9")
    with pytest.raises(UnavailableError, match=f"nothing of robot {unknown} has landed; some that have: {ILL}"):
        await explain._explained(database_url, unknown, None, Limits())
    with pytest.raises(UnavailableError, match="was not judged yet"):
        await explain._explained(database_url, NEW, None, Limits())


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


async def test_what_is_out_of_service_is_so_until_it_or_all_of_its_robot_is_in_service(connection):
    def action(number: int, kind: Kind, component: str = "", code: str = ILL) -> Action:
        about = {"episode_id": "", "component": component, "robot_id": code}
        return msgspec.structs.replace(messages.ACTION, id=f"a-{number}", kind=kind, **about)

    async def out_of_service() -> list[tuple[str, str]]:
        return [(found.robot_id, found.component) for found in await database.out_of_service(connection)]

    out, back = Kind.OUT_OF_SERVICE, Kind.IN_SERVICE
    actions = [action(1, out, "joint/1"), action(2, out, "battery"), action(3, out), action(4, out, code=WELL)]
    assert await add_actions(connection, [*actions, action(5, Kind.ADOPT)]) == 0
    assert await add_actions(connection, actions) == 4, "again: they are there already"
    assert await out_of_service() == [(ILL, ""), (ILL, "battery"), (ILL, "joint/1"), (WELL, "")]
    await add_actions(connection, [action(6, back, "battery")])
    assert await out_of_service() == [(ILL, ""), (ILL, "joint/1"), (WELL, "")]
    await add_actions(connection, [action(7, back), action(8, out, "battery")])
    assert await out_of_service() == [(ILL, "battery"), (WELL, "")]
    assert [found.robot_id for found in await database.out_of_service(connection, WELL)] == [WELL]
    only = Filter(text=ILL)
    assert {found.robot_id for found in await database.out_of_service(connection, wanted=only)} == {ILL}


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
