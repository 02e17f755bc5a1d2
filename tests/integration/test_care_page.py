"""Parts, maintenance and uses on the pages and by the API, as far as a person may see them."""

from datetime import timedelta

import asyncpg
import msgspec
import pytest

from schemas.usage import Usage
from serve.care import FleetMaintenance, RobotParts
from serve.people import Role
from support import two_fleets
from support.asgi import ask
from support.two_fleets import NOW, OURS, THEIRS, application, mark_of, token


@pytest.fixture
async def served(database_url):
    """The application, and headers of an admin and of who sees ours only."""
    connection = await asyncpg.connect(database_url)
    await two_fleets.fill(connection)
    admin, of_ours = await token(connection, Role.ADMIN), await token(connection, Role.VIEWER, ["ours"])
    async with application(database_url) as app:
        yield app, connection, admin, of_ours
    await connection.close()


async def page(app, path: str, headers: dict[str, str]) -> str:
    answer = await ask(app, "GET", path, headers | {"accept": "text/html"})
    assert answer.status == 200
    return answer.body.decode()


async def test_a_robots_page_says_what_is_overdue_what_is_in_it_and_what_it_was_used_for(served):
    app, _, admin, _ = served
    shown = await page(app, f"/robots/{OURS}", admin)
    overdue, parts, used = (shown[shown.index(f'id="{at}"') :] for at in ("maintenance", "parts-in", "usage"))
    assert "Overdue" in overdue
    assert "not declared" in parts
    assert f'<td class="mono">{mark_of(OURS)}' in parts
    assert f'<th scope="row">{mark_of(OURS)}' in used
    assert f'href="/incidents?robot={OURS}"' in shown


async def test_a_part_that_another_robot_tells_of_too_is_said_to_whom_sees_both(served):
    app, connection, admin, of_ours = served
    await connection.execute("UPDATE part_seen SET serial = 'B-1'")
    for headers, elsewhere in ((admin, [THEIRS]), (of_ours, [])):
        answer = await ask(app, "GET", f"/api/v1/robots/{OURS}/parts", headers)
        told = msgspec.json.decode(answer.body, type=RobotParts)
        assert [(part.serial, part.elsewhere) for part in told.parts if part.serial] == [("B-1", elsewhere)]
        assert [(seen.component, seen.serial) for seen in told.seen] == [("battery", "B-1")]


async def test_a_part_that_the_logbook_calls_otherwise_stands_out(served):
    app, connection, admin, _ = served
    await connection.execute("DELETE FROM installed_part")
    await connection.execute("INSERT INTO installed_part VALUES ($1, 'battery', 'B-9', 'BP', $2)", OURS, NOW)
    assert "1 not as the logbook says" in await page(app, f"/robots/{OURS}", admin)


async def test_the_fleet_counts_whose_maintenance_a_person_may_see(served):
    app, _, admin, of_ours = served
    for headers, robots in ((admin, {OURS, THEIRS}), (of_ours, {OURS})):
        found = msgspec.json.decode(
            (await ask(app, "GET", "/api/v1/maintenance", headers)).body, type=FleetMaintenance
        )
        assert {one.robot_id for one in found.pressing} == robots
        assert found.overdue == len(robots)
        shown = await page(app, "/maintenance", headers)
        assert (OURS in shown, THEIRS in shown) == (True, THEIRS in robots)


async def test_uses_follow_from_the_hours_of_all_its_life(served):
    app, connection, admin, _ = served
    await connection.execute(
        "INSERT INTO vitals_hourly (robot_id, start, windows, seen_s, frames, missing, fault_frames,"
        " backfill_frames, boots, last_time, received, mode, software, scenario, runtime_s, joint_torque_nm_rms)"
        " SELECT $1, start, 1, 10, 10, 0, 0, 0, 1, start, start, 1, '', 'line', 3600 * at, ARRAY[at, NULL]::real[]"
        " FROM generate_series(1, 3) AS at,"
        " LATERAL (SELECT date_trunc('hour', $2::timestamptz) + at * interval '1 h') AS hour (start)",
        OURS, NOW - timedelta(days=4000),
    )  # fmt: skip
    answer = await ask(app, "GET", f"/api/v1/robots/{OURS}/usage", admin)
    found = msgspec.json.decode(answer.body, type=Usage)
    assert [(one.scenario, one.used_s, one.load) for one in found.used] == [
        ("line", 7200, 1.0), (mark_of(OURS), 0, None),
    ]  # fmt: skip
    assert len(found.gaps) == 1
