"""The fleet as an operator asks for it, on a real database: counts, the worst first, pages, a grid, sparklines."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from ingest.anomaly_rows import add_anomalies
from schemas.anomaly import AlarmState, Transition
from schemas.errors import SettingError
from schemas.robot_code import CODE_LENGTH, make_code
from serve import database, fleet, sites
from serve.filters import Filter
from serve.fleet import GroupBy, Sort
from serve.sites import Placing
from support import messages
from support.flood import then
from support.frames import TIME_US

NOW = datetime.now(UTC).replace(microsecond=0)
ROBOTS = [make_code("ZZ", "TEST", f"MODEL{number % 2}", str(number)) for number in range(6)]
WELL, WORN, ILL, SEEN, NEW, SILENT = ROBOTS
STATUSES = {
    WELL: "NORMAL", WORN: "MAINTENANCE_REQUIRED", ILL: "OFF_SPEC", SEEN: "FAILURE", SILENT: "UNKNOWN",
}  # fmt: skip
EVERY = Filter()


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await database.connect(database_url)
    for code in ROBOTS:
        await opened.execute("INSERT INTO robot (robot_id, first_time) VALUES ($1, $2)", code, NOW)
    for age, (code, status) in enumerate(STATUSES.items()):
        await opened.execute(
            "INSERT INTO health VALUES ($1, $2, $2, $2, $3, 'A', 'working', $4, 'lab', 0, '[]')",
            code, NOW - timedelta(minutes=age), status, f"{age % 2}.0",
        )  # fmt: skip
    await sites.place(opened, [Placing(WELL, "Berlin"), Placing(WORN, "Graz"), Placing(ILL, "Berlin")])
    old = TIME_US - 30 * 86_400_000_000
    for number, (code, state, at_us) in enumerate(
        [
            (WORN, AlarmState.UNACKNOWLEDGED_ACTIVE, TIME_US),
            (ILL, AlarmState.UNACKNOWLEDGED_ACTIVE, old),
            (SEEN, AlarmState.ACKNOWLEDGED_ACTIVE, old),
            (WELL, AlarmState.NORMAL, old),
        ]
    ):
        told = messages.ANOMALY
        changes = {"robot_id": code, "episode_id": f"e-{number}", "state": state, "first_us": at_us}
        await add_anomalies(opened, [then(told, told.transition, **changes, number=1)])
    yield opened
    await opened.close()


async def _page(connection: asyncpg.Connection, wanted: Filter = EVERY, sort: Sort = Sort.WORST) -> list[str]:
    return [robot.robot_id for robot in (await fleet.robots_page(connection, wanted, sort, None, 100)).robots]


async def test_the_overview_counts_robots_and_alarms_and_a_new_robot_is_unknown(connection):
    found = await fleet.overview(connection, EVERY)
    assert found.robots == 6
    assert {status: count for status, count in found.statuses.items() if count} == {
        "FAILURE": 1, "OFF_SPEC": 1, "MAINTENANCE_REQUIRED": 1, "UNKNOWN": 2, "NORMAL": 1,
    }  # fmt: skip
    assert next(iter(found.statuses)) == "FAILURE"
    assert found.alarms == {"unacknowledged_active": 2, "acknowledged_active": 1}
    assert found.received_us == int(NOW.timestamp()) * 1_000_000


async def test_what_calls_somebody_for_long_is_worse_than_what_somebody_has_seen(connection):
    assert await _page(connection) == [ILL, SEEN, WORN, NEW, SILENT, WELL]


async def test_a_robot_in_the_list_says_what_its_trouble_is(connection):
    (robot,) = (await fleet.robots_page(connection, Filter(text=ILL), Sort.WORST, None, 10)).robots
    assert (robot.status, robot.unacknowledged, robot.component) == ("OFF_SPEC", 1, "joint/2")
    assert robot.text == messages.ANOMALY.text
    assert robot.calling_since is not None


async def test_a_robot_whose_trouble_another_episode_speaks_for_says_what_that_one_says(connection):
    told = messages.ANOMALY
    sentence = "34 robots of model MODEL0: backlash above its limit."
    parent = {
        "robot_id": "fleet",
        "episode_id": "parent",
        "text": sentence,
        "state": AlarmState.UNACKNOWLEDGED_ACTIVE,
    }
    member = {
        "robot_id": ILL,
        "episode_id": "e-1",
        "text": f"Part of episode parent, which speaks for it. {told.text}",
    }
    await add_anomalies(
        connection,
        [
            then(told, told.transition, **parent, number=1),
            then(told, Transition.ADOPTED, **member, number=2, parent="parent"),
        ],
    )
    (robot,) = (await fleet.robots_page(connection, Filter(text=ILL), Sort.WORST, None, 10)).robots
    assert (robot.component, robot.episode_id, robot.text) == ("joint/2", "parent", sentence)
    await connection.execute("DELETE FROM episode WHERE episode_id = 'parent'")  # as who may not see it
    (robot,) = (await fleet.robots_page(connection, Filter(text=ILL), Sort.WORST, None, 10)).robots
    assert (robot.episode_id, robot.text) == ("e-1", told.text)


async def test_a_robot_was_last_seen_when_its_newest_frame_says(connection):
    await connection.execute(
        "INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario, software) "
        "VALUES ($1, $2, 0, 1, 0, $2, 1, false, '', ''), ($1, $3, 1, 1, 0, $2, 1, false, '', '')",
        SILENT, NOW - timedelta(seconds=1), NOW + timedelta(hours=1),
    )  # fmt: skip
    (robot,) = (await fleet.robots_page(connection, Filter(text=SILENT), Sort.WORST, None, 10)).robots
    assert robot.last_seen == robot.received == NOW - timedelta(seconds=1)


@pytest.mark.parametrize("sort", Sort)
async def test_pages_follow_each_other_without_a_gap(connection, sort: Sort):
    found, cursor = [], None
    while True:
        page = await fleet.robots_page(connection, EVERY, sort, cursor, 2)
        assert page.total == 6
        found += [robot.robot_id for robot in page.robots]
        if page.cursor is None:
            break
        cursor = page.cursor
    assert sorted(found) == sorted(ROBOTS)
    assert found == await _page(connection, sort=sort)


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "kw==", "1' OR '1'='1"])
async def test_a_cursor_that_is_none_is_refused(connection, cursor: str):
    with pytest.raises(SettingError, match="cursor"):
        await fleet.robots_page(connection, EVERY, Sort.WORST, cursor, 2)


async def test_a_cursor_of_another_sort_is_refused(connection):
    page = await fleet.robots_page(connection, EVERY, Sort.CODE, None, 2)
    with pytest.raises(SettingError, match="sorted by code"):
        await fleet.robots_page(connection, EVERY, Sort.STALE, page.cursor, 2)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(models=(WELL[:12],)), {WELL, ILL, NEW}),
        (Filter(makers=(WELL[:6],)), set(ROBOTS)),
        (Filter(makers=("ZZNONE",)), set()),
        (Filter(sites=("Berlin",)), {WELL, ILL}),
        (Filter(sites=("Berlin", "Graz"), statuses=("OFF_SPEC",)), {ILL}),
        (Filter(sites=("nowhere",)), set()),
        (Filter(statuses=("UNKNOWN", "FAILURE")), {NEW, SILENT, SEEN}),
        (Filter(component="joint"), {WORN, ILL, SEEN}),
        (Filter(component="joint/2"), {WORN, ILL, SEEN}),
        (Filter(component="joint/3"), set()),
        (Filter(component="battery"), set()),
        (Filter(software="1.0", scenario="lab"), {WORN, SEEN}),
        (Filter(text=WORN[-9:].lower()), {WORN}),
        (Filter(text="%"), set()),
        (Filter(prefixes=(WELL[:12], "ZZNONE")), {WELL, ILL, NEW}),
        (Filter(prefixes=()), set()),
    ],
)
async def test_a_filter_holds_everywhere(connection, wanted: Filter, expected: set[str]):
    assert set(await _page(connection, wanted)) == expected
    found = await fleet.overview(connection, wanted)
    assert found.robots == len(expected)
    alarms = {WORN, ILL, SEEN} & expected
    assert sum(found.alarms.values()) == len(alarms)
    grid = await fleet.grid(connection, wanted, GroupBy.MODEL)
    codes = {grid.codes[at : at + CODE_LENGTH] for at in range(0, len(grid.codes), CODE_LENGTH)}
    assert codes == expected


@pytest.mark.parametrize("group_by", GroupBy)
async def test_the_grid_has_every_robot_once_in_columns_of_one_length(connection, group_by: GroupBy):
    grid = await fleet.grid(connection, EVERY, group_by)
    codes = [grid.codes[at : at + CODE_LENGTH] for at in range(0, len(grid.codes), CODE_LENGTH)]
    assert sorted(codes) == sorted(ROBOTS)
    assert len(grid.status) == len(grid.zone) == len(grid.unacknowledged) == len(grid.age_s) == 6
    assert [group.first for group in grid.groups] == [
        sum(group.count for group in grid.groups[:at]) for at in range(len(grid.groups))
    ]
    assert sum(group.count for group in grid.groups) == 6
    ill, new = codes.index(ILL), codes.index(NEW)
    assert [grid.statuses[int(grid.status[at])] for at in (ill, new)] == ["OFF_SPEC", "UNKNOWN"]
    assert (grid.zone[ill], grid.unacknowledged[ill]) == ("A", "1")
    assert (grid.zone[new], grid.unacknowledged[new], grid.age_s[new]) == ("-", "0", -1)
    assert grid.age_s[ill] >= 120


async def test_the_grid_by_site_has_those_together_of_which_nobody_has_said(connection):
    grid = await fleet.grid(connection, EVERY, GroupBy.SITE)
    assert [(group.key, group.count) for group in grid.groups] == [("", 3), ("Berlin", 2), ("Graz", 1)]


async def test_a_robot_says_where_it_is(connection):
    (line,) = (await fleet.robots_page(connection, Filter(text=ILL), Sort.WORST, None, 10)).robots
    state = await database.robot(connection, ILL)
    assert state is not None
    assert line.site == state.site == "Berlin"


async def test_a_sparkline_has_the_worst_joint_of_each_hour_and_the_newest_window(connection):
    hour = NOW.replace(minute=0, second=0)
    for ago in (1, 3):
        await connection.execute(
            "INSERT INTO vitals_hourly (robot_id, start, windows, seen_s, frames, missing, fault_frames, "
            "backfill_frames, boots, last_time, received, mode, software, scenario, joint_temperature_c_max) "
            "VALUES ($1, $2, 1, 1, 1, 0, 0, 0, 1, $2, $2, 1, '', '', '{40, NULL, 70}')",
            ILL, hour - timedelta(hours=ago),
        )  # fmt: skip
    await connection.execute(
        "INSERT INTO vitals (robot_id, start, length_us, kind, frames, first_seq, last_seq, boot_id, missing, "
        "last_time, received, fault_frames, backfill_frames, mode, software, scenario, joint_temperature_c_max) "
        "VALUES ($1, $2, 10000000, 0, 10, 0, 9, 1, 0, $2, $2, 0, 0, 1, '', '', '{80, 90}')",
        ILL, hour,
    )  # fmt: skip
    found = await fleet.sparklines(connection, [WELL, ILL], "joint_temperature_c", NOW, hours=4)
    assert [line.robot_id for line in found] == [WELL, ILL]
    assert found[0].values == [None] * 4
    assert found[1].values == [70, None, 70, 90]


async def test_facets_offer_what_there_is_among_the_robots_that_one_may_see(connection):
    found = await fleet.facets(connection, None)
    assert [(facet.value, facet.robots) for facet in found.models] == [(WELL[:12], 3), (WORN[:12], 3)]
    assert [(facet.value, facet.robots) for facet in found.makers] == [(WELL[:6], 6)]
    assert ("1.0", 2) in [(facet.value, facet.robots) for facet in found.software]
    await sites.place(connection, [Placing(make_code("ZZ", "TEST", "MODEL9", "1"), "Graz")])  # it has sent nothing
    assert [(facet.value, facet.robots) for facet in found.sites] == [("Berlin", 2), ("Graz", 1)]
    some = await fleet.facets(connection, (WELL[:12],))
    assert [(facet.value, facet.robots) for facet in some.sites] == [("Berlin", 2)]
    assert [(facet.value, facet.robots) for facet in some.models] == [(WELL[:12], 3)]


async def test_robots_are_found_by_what_the_registry_says_of_them(connection):
    for code, status in ((WELL, "active"), (WORN, "recalled"), (ILL, "scrapped")):
        await connection.execute(
            "INSERT INTO passport VALUES ($1, 'ACME', 'M1', '', 29, $2, $2, $3, $2)", code, NOW, status
        )
    assert await _page(connection, Filter(registry=("recalled", "scrapped"))) == [ILL, WORN]
    assert await _page(connection, Filter(registry=("active",))) == [WELL]
