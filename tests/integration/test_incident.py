"""Incidents on a real TimescaleDB: what is frozen stays, what comes late is marked, faults open one each."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from deploy.evaluate.incidents.scenarios import Kind
from processors.incident import freeze, tables
from processors.incident.keep import PATIENCE, Keeper, Told
from processors.incident.verdict import assess
from processors.retain import Retainer
from processors.retain_metrics import RetainMetrics
from processors.retention import keep_times
from schemas.incident import Stance, Verdict
from serve import database as serving
from serve.incidents import incident, incident_frames, incident_list
from support.incidents import (
    CODE,
    add_case,
    add_fault,
    add_frames,
    add_neighbours,
    add_registered,
    add_robot,
    plain,
    time_of,
)

NOW = datetime.now(UTC).replace(microsecond=0)
AT = NOW - timedelta(minutes=10)
WINDOW = range(400 + 1)
NO_PLATFORMS: frozenset[str] = frozenset()


@pytest.fixture
async def connection(database_url):
    async with serving.connected(database_url) as opened:
        await add_robot(opened)
        yield opened


@pytest.fixture
def keeper(database_url):
    return Keeper(database_url, RetainMetrics.create(CollectorRegistry()), None, NO_PLATFORMS)


async def opened(connection, at=AT, incident_id="one"):
    await tables.open_incident(connection, incident_id, CODE, at, "somebody", "it fell")
    return incident_id


async def test_what_is_frozen_has_every_column_of_frame_in_its_order(database):
    """A migration that adds a column to `frame` adds it to `incident_frame`."""
    columns = """
        SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
    frame, frozen = [
        [tuple(row) for row in await database.fetch(columns, name)] for name in ("frame", "incident_frame")
    ]
    assert [name for name, *_ in frozen[:3]] == ["incident_id", "frozen", "appended"]
    assert frozen[3:] == frame


async def test_retention_drops_the_frames_and_the_incident_keeps_them(connection, database_url, keeper):
    at = NOW - timedelta(days=20)
    await add_frames(connection, at - timedelta(seconds=30), WINDOW)
    await opened(connection, at)
    await keeper.look(connection, NOW)
    retainer = Retainer(database_url, keep_times({}), RetainMetrics.create(CollectorRegistry()))
    assert await retainer.once()
    assert await connection.fetchval("SELECT count(*) FROM frame") == 0
    frames = await incident_frames(connection, "one")
    assert [frame["seq"] for frame in frames] == [*WINDOW]
    assert frames[0]["joint_velocity_rad_s"] == [1.0, 2.0]


async def test_frames_that_come_late_are_appended_and_marked_and_change_nothing_of_the_verdict(connection, keeper):
    late = range(100, 120)
    await add_frames(connection, AT - timedelta(seconds=30), [seq for seq in WINDOW if seq not in late])
    await keeper.look(connection, NOW)
    await opened(connection)
    await keeper.look(connection, NOW)
    before = await incident(connection, "one")
    assert "20 frames of the window are missing by their sequence" in before.evidence.because
    await add_frames(connection, AT - timedelta(seconds=30), late)
    about = tables.Incident("one", CODE, AT, "somebody", True)
    assert await freeze.append(connection, about, NO_PLATFORMS) == len(late)
    assert await freeze.append(connection, about, NO_PLATFORMS) == 0
    after = await incident(connection, "one")
    assert (after.frames, after.appended_frames) == (before.frames, 20)
    assert (after.evidence, after.completed) == (before.evidence, before.completed)
    marked = [frame["seq"] for frame in await incident_frames(connection, "one") if frame["appended"]]
    assert marked == [*late]


async def test_a_window_that_has_not_landed_is_awaited_and_not_for_ever(connection, keeper):
    at = NOW - timedelta(seconds=15)
    await add_frames(connection, at - timedelta(seconds=30), range(300))
    await opened(connection, at)
    await keeper.look(connection, NOW)
    assert (await incident(connection, "one")).completed is None
    await keeper.look(connection, at + timedelta(seconds=10) + PATIENCE + timedelta(seconds=1))
    shown = await incident(connection, "one")
    assert shown.completed is not None
    assert any("gap" in text for text in shown.evidence.because)


async def test_a_later_frame_of_the_robot_says_that_its_window_has_landed(connection, keeper):
    at = NOW - timedelta(seconds=15)
    await add_frames(connection, at - timedelta(seconds=30), range(420))
    await opened(connection, at)
    await keeper.look(connection, NOW)
    shown = await incident(connection, "one")
    assert shown.completed is not None
    assert shown.frames == len(WINDOW)


async def test_a_fault_opens_one_incident_however_often_it_is_looked_at(connection, keeper):
    await add_frames(connection, AT - timedelta(seconds=30), range(300))
    await add_frames(connection, AT - timedelta(seconds=30), range(300, 420), mode=3)
    await add_fault(connection, AT)
    for _ in range(3):
        await keeper.look(connection, NOW)
    await connection.execute("DELETE FROM incident_fault")  # as if another keeper found it at the same time
    await keeper.look(connection, NOW)
    (line,) = await incident_list(connection, CODE, 10)
    assert (line.opened_by, line.at) == ("fault", AT)
    assert line.completed is not None


async def test_what_a_spool_brings_opens_none(connection, keeper):
    await add_frames(connection, AT - timedelta(seconds=30), range(420), mode=3)
    await add_fault(connection, AT, live=False)
    await keeper.look(connection, NOW)
    assert await incident_list(connection, None, 10) == []


async def test_a_fault_that_flaps_opens_few_and_each_is_accounted_for(connection, keeper):
    for number in range(30):
        at = AT - timedelta(minutes=3 * number)
        await add_frames(connection, at, [0], mode=3)
        await add_fault(connection, at, f"fault-{number}")
    await keeper.look(connection, NOW)
    accounts = await connection.fetch("SELECT incident_id, because FROM incident_fault")
    assert len(accounts) == 30
    assert all((row["incident_id"] is None) == bool(row["because"]) for row in accounts)
    assert len(await incident_list(connection, None, 100)) <= 8


async def test_a_fault_whose_frame_has_not_landed_is_looked_at_again(connection, keeper):
    at = NOW - timedelta(seconds=20)
    await add_fault(connection, at)
    await keeper.look(connection, NOW)
    assert await connection.fetchval("SELECT count(*) FROM incident_fault") == 0
    await add_frames(connection, at, [0], mode=3)
    await keeper.look(connection, NOW)
    assert await connection.fetchval("SELECT incident_id FROM incident_fault") is not None


async def test_an_incident_is_told_to_its_logbook_once_and_only_where_there_is_one(connection, database_url):
    told: list[Told] = []

    async def tell(one: Told) -> None:
        told.append(one)

    keeping = Keeper(database_url, RetainMetrics.create(CollectorRegistry()), tell, NO_PLATFORMS)
    await add_frames(connection, AT - timedelta(seconds=30), range(420))
    await opened(connection)
    await keeping.look(connection, NOW)
    assert told == []
    await connection.execute("INSERT INTO logbook_head VALUES ($1, 1, '', now(), '')", CODE)
    for _ in range(2):
        await keeping.look(connection, NOW)
    assert [(one.incident_id, one.verdict) for one in told] == [("one", Verdict.UNDETERMINED)]


async def test_an_incident_after_a_bad_release_points_to_software(connection, keeper):
    case = plain(Kind.SOFTWARE, Verdict.SOFTWARE)
    await add_case(connection, case)
    part = assess(case).part
    await add_neighbours(connection, case, case.past.software[-1], 30, 12, part)
    await add_neighbours(connection, case, case.past.software[0], 30, 0, part)
    await opened(connection, time_of(case.at_us))
    await keeper.look(connection, NOW)
    shown = await incident(connection, "one")
    assert (shown.verdict, shown.part) == (Verdict.SOFTWARE, part)
    await cited_records_are_there(connection, shown)


async def test_an_incident_on_a_neglected_part_points_to_maintenance(connection, keeper):
    case = plain(Kind.MAINTENANCE, Verdict.MAINTENANCE)
    await add_case(connection, case)
    part = assess(case).part
    for state, affected in (("overdue", 12), ("ok", 0)):
        await add_neighbours(connection, case, case.past.software[-1], 30, affected, part, state)
    await connection.execute(
        "INSERT INTO maintenance_plan VALUES ('TESTMODEL1', $1)",
        f'{{"maker":"TEST","model":"MODEL1","tasks":[{{"name":"grease","component":"{part}","every_days":90}}]}}',
    )
    await add_registered(connection)
    await opened(connection, time_of(case.at_us))
    await keeper.look(connection, NOW)
    shown = await incident(connection, "one")
    assert (shown.verdict, shown.part) == (Verdict.MAINTENANCE, part)
    assert any(f"task/grease/{part}" in piece.records for piece in shown.evidence.pieces)
    await cited_records_are_there(connection, shown)


async def cited_records_are_there(connection, shown):
    """Evidence names what was frozen, for and against."""
    frozen = {record.record_id for record in shown.records}
    cited = {name for piece in shown.evidence.pieces for name in piece.records}
    assert {name for name in cited if not name.startswith("frames/")} <= frozen
    assert {piece.stance for piece in shown.evidence.pieces} >= {Stance.FOR, Stance.AGAINST}


async def test_nobody_completes_what_somebody_else_has(connection, database_url, keeper):
    await add_frames(connection, AT - timedelta(seconds=30), range(420))
    await opened(connection)
    (awaited,) = await tables.awaited(connection)
    other = await asyncpg.connect(database_url)
    try:
        assert await freeze.complete(other, awaited, NO_PLATFORMS) is not None
    finally:
        await other.close()
    assert await freeze.complete(connection, awaited, NO_PLATFORMS) is None
