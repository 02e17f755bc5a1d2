"""The operators' list asked of a real database: heaps, their order, pages, and what a parent speaks for."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from schemas.anomaly import Cause
from schemas.errors import SettingError
from serve import database, sites
from serve.alarm_list import AlarmFilter, AlarmList, Part, alarm_list, part_counts
from serve.filters import Filter
from serve.sites import Placing
from support.assess import robot

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ALL = AlarmFilter(robots=Filter())
ACTIVE, KNOWN, ENDED = "unacknowledged_active", "acknowledged_active", "unacknowledged_cleared"


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connected = await database.connect(database_url)
    yield connected
    await connected.close()


async def episode(
    connection: asyncpg.Connection,
    number: int,
    signal: str = "joint_wear",
    state: str = ACTIVE,
    status: str = "OFF_SPEC",
    parent: str = "",
    software: str = "1",
) -> str:
    """The n-th robot's; opened the later, the greater its number."""
    code, name = robot(number), f"{signal}-{number}"
    cause = Cause("limit", signal, "above", code[:12], software).text
    opened = BEGAN + timedelta(minutes=number)
    await connection.execute(
        "INSERT INTO episode (episode_id, robot_id, episode, rule, rule_version, component, signal, about, status, "
        "state, active, chattering, parent, cause, opened, last_sign, transitions, count, live, unit, software, "
        "scenario, text, actor, note) VALUES ($1, $2, 1, 'limit', 1, 'joint/3', $3, 'machine', $4, $5, true, "
        "false, $6, $7, $8, $8, 1, 1, true, '', $9, '', 'worn', '', '')",
        name, code, signal, status, state, parent, cause, opened, software,
    )  # fmt: skip
    return name


async def listed(connection: asyncpg.Connection, part: Part = Part.OPEN, wanted: AlarmFilter = ALL) -> AlarmList:
    return await alarm_list(connection, part, wanted, True, None, 50)


async def test_what_many_robots_share_is_one_heap_and_few_are_shown_each(connection):
    shared = [await episode(connection, number) for number in range(3)]
    alone = await episode(connection, 9, "battery_soh")
    first, second = (await listed(connection)).heaps
    assert (first.episodes, first.robots, first.unacknowledged) == (3, 3, 3)
    assert (first.episode_ids, first.alarms) == (shared, [])
    assert first.cause is not None
    assert first.cause.signal == "joint_wear"
    assert [alarm.episode_id for alarm in second.alarms] == [alone]


async def test_another_software_is_another_heap(connection):
    for number in range(4):
        await episode(connection, number, software=str(number % 2))
    assert [heap.episodes for heap in (await listed(connection)).heaps] == [2, 2]


async def test_one_by_one_there_are_no_heaps(connection):
    for number in range(4):
        await episode(connection, number)
    found = await alarm_list(connection, Part.OPEN, ALL, False, None, 50)
    assert [heap.episodes for heap in found.heaps] == [1, 1, 1, 1]


async def test_what_calls_comes_first_then_the_worst_then_the_oldest(connection):
    await episode(connection, 1, "a", KNOWN, "FAILURE")
    await episode(connection, 2, "b", ACTIVE, "MAINTENANCE_REQUIRED")
    await episode(connection, 3, "c", ACTIVE, "FAILURE")
    await episode(connection, 4, "d", ENDED, "FAILURE")
    await episode(connection, 5, "e", ACTIVE, "FAILURE")
    order = [heap.alarms[0].episode_id for heap in (await listed(connection)).heaps]
    assert order == ["c-3", "e-5", "b-2", "d-4", "a-1"]


async def test_pages_follow_each_other_without_gap_or_overlap(connection):
    for number in range(7):
        await episode(connection, number, f"s{number}", status=("FAILURE", "OFF_SPEC")[number % 2])
    whole = [heap.heap for heap in (await listed(connection)).heaps]
    pages, cursor = [], None
    while True:
        page = await alarm_list(connection, Part.OPEN, ALL, True, cursor, 2)
        pages += [heap.heap for heap in page.heaps]
        if (cursor := page.cursor) is None:
            break
    assert pages == whole


async def test_a_parent_is_listed_with_how_many_it_speaks_for(connection):
    parent = await episode(connection, 1, "silence")
    for number in range(2, 5):
        await episode(connection, number, parent=parent)
    found = await listed(connection)
    assert [heap.episodes for heap in found.heaps] == [1]
    assert found.members == {parent: 3}
    members = AlarmFilter(robots=Filter(), parent=parent)
    assert [heap.episodes for heap in (await listed(connection, Part.SPOKEN_FOR, members)).heaps] == [3]


async def test_each_part_is_counted(connection):
    parent = await episode(connection, 1, "a")
    await episode(connection, 2, "b", KNOWN)
    await episode(connection, 3, "c", "shelved")
    await episode(connection, 4, "d", ACTIVE, parent=parent)
    await episode(connection, 5, "e", "normal")
    counts = await part_counts(connection, ALL)
    assert counts == {
        Part.OPEN: 2, Part.UNACKNOWLEDGED: 1, Part.ENDED: 0, Part.ACKNOWLEDGED: 1, Part.SHELVED: 1,
        Part.OUT_OF_SERVICE: 0, Part.SPOKEN_FOR: 1,
    }  # fmt: skip


async def test_filters_narrow_the_list(connection):
    await episode(connection, 1, "a", status="FAILURE")
    await episode(connection, 2, "b", software="2")
    for wanted, name in (
        (AlarmFilter(robots=Filter(text=robot(1)[-6:])), "a-1"),
        (AlarmFilter(robots=Filter(statuses=("FAILURE",))), "a-1"),
        (AlarmFilter(robots=Filter(software="2")), "b-2"),
    ):
        assert [heap.alarms[0].episode_id for heap in (await listed(connection, Part.OPEN, wanted)).heaps] == [name]
    for wanted in (
        AlarmFilter(robots=Filter(component="battery")),
        AlarmFilter(robots=Filter(), rule="silence"),
        AlarmFilter(robots=Filter(prefixes=())),
    ):
        assert (await listed(connection, Part.OPEN, wanted)).heaps == []


@pytest.mark.parametrize("cursor", ["nonsense", "kw==", "é"])
async def test_a_cursor_that_is_none_is_refused(connection, cursor):
    with pytest.raises(SettingError, match="cursor"):
        await alarm_list(connection, Part.OPEN, ALL, True, cursor, 2)


async def test_the_list_can_be_narrowed_to_a_site(connection):
    names = [await episode(connection, number, "battery_soh") for number in range(3)]
    await sites.place(connection, [Placing(robot(1), "Berlin"), Placing(robot(2), "Graz")])
    here = AlarmFilter(robots=Filter(sites=("Berlin",)))
    assert [heap.episode_ids for heap in (await listed(connection, wanted=here)).heaps] == [[names[1]]]
    assert (await part_counts(connection, here))[Part.OPEN] == 1
