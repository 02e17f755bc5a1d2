"""What is due in the fleet, in a real database: by logbooks, plans and counters, as each of them changes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest

from deploy import cli
from deploy.settings import DATABASE_URL
from processors import maintenance
from schemas.entry import encode_record
from schemas.logbook import Commissioned, Correction, MaintenanceDone, MaintenancePlanned, What, kind_name
from schemas.maintenance import State
from schemas.maintenance_plan import Plan, Task
from schemas.robot_code import make_code
from serve import care
from support.logbooks import REGISTERED, Writer

NOW = datetime.now(UTC)
ROBOT, OTHER = make_code("ZZ", "TEST", "MODEL1", "1"), make_code("ZZ", "TEST", "MODEL1", "2")
EXAMPLE = Path(__file__).parents[2] / "docs" / "maintenance.toml"
GREASE = Task(name="grease", component="joint/3", every_hours=100, grace=0.1)


class Robot:
    """Its logbook and its counters in the database. Days are before now."""

    def __init__(self, database: asyncpg.Connection, code: str = ROBOT) -> None:
        self._database, self.code, self._writer = database, code, Writer(code)

    async def write(self, days_ago: float, what: What) -> str:
        """As the lander leaves it; whether it may is another's question. Returns the entry's id."""
        happened = NOW - timedelta(days=days_ago)
        us = round(happened.timestamp() * 1e6)
        record = self._writer.force(self._writer.sign(what, happened_us=us))
        entry, number = record.signed.entry, record.link.number
        await self._database.execute(
            "INSERT INTO logbook_entry VALUES ($1, $2, $3, $4, '', $5, $5, $5, NULL, $6)",
            self.code, number, entry.id, kind_name(type(what)), happened, encode_record(record),
        )  # fmt: skip
        await self._database.execute(
            "INSERT INTO logbook_head VALUES ($1, $2, '', $3, '') ON CONFLICT (robot_id) DO UPDATE"
            " SET entries = excluded.entries",
            self.code, number, happened,
        )  # fmt: skip
        return entry.id

    async def count(self, days_ago: float, hours: float, table: str = "vitals_hourly") -> None:
        """Its counter said so then."""
        start = NOW - timedelta(days=days_ago)
        windows, of = ("windows, seen_s, boots", "1, 10, 1") if table == "vitals_hourly" else (
            "length_us, kind, first_seq, last_seq, boot_id", "10000000, 0, 0, 0, 1")  # fmt: skip
        await self._database.execute(
            f"INSERT INTO {table} (robot_id, start, frames, missing, fault_frames, backfill_frames, last_time,"
            f" received, mode, software, scenario, runtime_s, {windows})"
            f" VALUES ($1, $2, 10, 0, 0, 0, $2, $2, 1, '', '', $3, {of})",
            self.code, start, round(hours * 3600),
        )  # fmt: skip


async def plan(database: asyncpg.Connection, *tasks: Task) -> None:
    made = Plan(maker="TEST", model="MODEL1", tasks=tasks)
    await database.execute(
        "INSERT INTO maintenance_plan VALUES ($1, $2) ON CONFLICT (prefix) DO UPDATE SET plan = excluded.plan,"
        " imported = clock_timestamp()",
        made.prefix, msgspec.json.encode(made).decode(),
    )  # fmt: skip


async def states(database: asyncpg.Connection, code: str = ROBOT) -> dict[str, str]:
    return {line.task: line.state for line in await care.maintenance(database, code)}


@pytest.fixture
async def robot(database: asyncpg.Connection) -> Robot:
    """Registered 100 days ago at 50 h, 90 h more by now."""
    made = Robot(database)
    await made.write(100, REGISTERED)
    await made.write(100, Commissioned())
    for days_ago, hours in ((101, 50), (20, 120), (1, 139)):
        await made.count(days_ago, hours)
    await made.count(0, 140, "vitals")
    return made


async def test_a_task_is_held_against_its_robots_counters_since_its_clock_began(database, robot):
    await plan(database, GREASE)
    assert await maintenance.follow(database, NOW) == 1
    (line,) = await care.maintenance(database, ROBOT)
    assert (line.state, line.since_entry, line.due_runtime_s) == ("ok", 2, 150 * 3600)
    assert line.used == pytest.approx(0.9)
    assert await maintenance.follow(database, NOW) == 0


async def test_an_entry_that_somebody_made_unreadable_stops_no_robots_maintenance(database, robot):
    other = Robot(database, OTHER)
    await other.write(100, REGISTERED)
    await other.write(100, Commissioned())
    await other.count(101, 50)
    await robot.write(19, MaintenanceDone(task="done", component="joint/3", plan="grease"))
    await database.execute("UPDATE logbook_entry SET record = 'torn' WHERE robot_id = $1 AND number = 3", ROBOT)
    await plan(database, GREASE)
    assert await maintenance.follow(database, NOW) == 2
    assert await states(database) == await states(database, OTHER) == {"grease": "ok"}
    assert await maintenance.follow(database, NOW) == 0
    (line,) = await care.maintenance(database, ROBOT)
    assert line.done_entry is None, "what cannot be read is not believed"


async def test_as_counters_go_on_it_becomes_due_and_overdue_and_a_service_resets_it(database, robot):
    await plan(database, GREASE)
    await maintenance.follow(database, NOW)
    for minutes, hours, expected in ((1, 151, "due"), (2, 161, "overdue")):
        await robot.count(-minutes / 1440, hours, "vitals")
        assert await maintenance.judge(database, NOW + timedelta(minutes=5)) == 1
        assert await states(database) == {"grease": expected}
    assert await maintenance.judge(database, NOW + timedelta(minutes=5)) == 0
    entry = await robot.write(19, MaintenanceDone(task="done", component="joint/3", plan="grease"))
    assert await maintenance.follow(database, NOW + timedelta(minutes=5)) == 1
    (line,) = await care.maintenance(database, ROBOT)
    assert (line.state, line.due_runtime_s, line.done_entry) == ("ok", (120 + 100) * 3600, 3)
    await robot.write(0, Correction(corrects=entry, reason="another robot"))
    await maintenance.follow(database, NOW + timedelta(minutes=5))
    assert await states(database) == {"grease": "overdue"}


async def test_another_plan_takes_the_place_of_the_one_before(database, robot):
    await plan(database, GREASE)
    await maintenance.follow(database, NOW)
    await plan(database, Task(name="look", component="robot", every_days=10))
    assert await maintenance.follow(database, NOW) == 1
    assert await states(database) == {"look": "overdue"}


async def test_what_the_logbook_plans_needs_no_plan_of_the_model(database, robot):
    due_us = round(NOW.timestamp() * 1e6) - 1
    await robot.write(3, MaintenancePlanned(plan="P-1", task="Belt", component="joint/1", due_us=due_us))
    await maintenance.follow(database, NOW)
    (line,) = await care.maintenance(database, ROBOT)
    assert (line.task, line.text, line.planned, line.state) == ("P-1", "Belt", 3, "due")


async def test_the_fleet_says_how_many_robots_are_overdue_and_which_first(database, robot):
    other = Robot(database, OTHER)
    await other.write(500, REGISTERED)
    await plan(
        database,
        Task(name="look", component="robot", every_days=90),
        Task(name="each", component="every joint", every_days=99, grace=0.5),
    )
    await maintenance.follow(database, NOW)
    found = await care.fleet_maintenance(database, State.OVERDUE.value, 10)
    assert (found.robots, found.overdue, found.due) == (2, 2, 1)
    assert [(one.task, one.overdue, one.due) for one in found.tasks] == [("look", 2, 0), ("each", 1, 1)]
    first = found.pressing[0]
    assert (first.robot_id, first.task, first.components) == (OTHER, "look", 1)
    assert [one.components for one in found.pressing if one.task == "each"] == [REGISTERED.joints]
    only = await care.fleet_maintenance(database, State.DUE.value, 10, "each")
    assert [(one.robot_id, one.components) for one in only.pressing] == [(ROBOT, REGISTERED.joints)]


def test_the_example_is_imported_and_shown_by_the_command(database_url, monkeypatch, capsys):
    monkeypatch.setenv(DATABASE_URL, database_url)
    monkeypatch.setenv("ROBOVITALS_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    assert cli.main(["maintenance", "plan", "import", str(EXAMPLE)]) == 0
    assert "SIMUHUMA (4 tasks): worked out for 0 robots" in capsys.readouterr().out
    assert cli.main(["maintenance", "plan", "show", make_code("ZZ", "SIMU", "HUMA29", "1")]) == 0
    assert "2000 h, 730 days" in capsys.readouterr().out
    assert cli.main(["maintenance", "due", "--fleet", "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["overdue"]["robots"] == 0
    assert cli.main(["maintenance", "due", ROBOT]) == 0
    assert "nothing is planned" in capsys.readouterr().out
