"""A robot's life as a buyer must learn it, by the commands that people have, on a real Kafka and a real database.

It is made, registered, sold and used. An actuator is swapped and nobody writes it down; its counter is set back and
it is sold again. The buyer's report names both. Somebody with the database changes its logbook, and is named. Each
of two incidents points where it should.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest

from deploy.evaluate.incidents.scenarios import Kind
from processors.incident.verdict import assess
from schemas.incident import Verdict
from schemas.kafka import Kafka
from schemas.robot_code import make_code
from support.hourly import lived, saw
from support.incidents import add_case, add_neighbours, plain, time_of
from support.logbooks import ROBOT
from support.writing import Desk, desk

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
MADE = NOW - timedelta(days=200)
USED_H, SWAPPED_H, SET_BACK_H = 1200, 500, 900
TAKEN_S = 250 * 3600
SOLD_AGAIN = MADE + timedelta(hours=SET_BACK_H + 20)
RELEASED, NEGLECTED = (make_code("ZZ", "TEST", "MODEL1", serial) for serial in ("REGRESSION", "NEGLECT"))
HEAD = "code,maker,model,level,joints,made,registered,owner,owner_country,owner_since,joint/1,joint/1.part"


@pytest.fixture
def at(tmp_path: Path, topics: Kafka, database_url: str) -> Iterator[Desk]:
    with desk(tmp_path, topics, database_url) as found:
        yield found


async def test_a_buyer_learns_of_the_swap_and_of_the_counter_that_was_set_back(
    at: Desk, database: asyncpg.Connection
):
    maker = sold(at)
    await used(database)
    resold(at, maker)
    audited = at.told("audit", ROBOT, code=3)
    assert standing(audited) == {("undeclared_swap", "joint/1"), ("runtime_rollback", "robot")}
    assert at.said("logbook", "checkpoint")[0] == 0
    report = at.home / "report.html"
    assert at.said("report", ROBOT, "--out", str(report), "--url", "https://fleet.example")[0] == 0
    page = report.read_text(encoding="utf-8")
    for told in ("OLD-1", "NEW-2", "went back by 250 h", "Grace Hopper"):
        assert told in page
    keys = str(at.home / "platform.keys")
    assert at.told("verify-report", str(report), "--keys", keys)["word"] == "PROVEN"
    report.write_text(page.replace("250 h", "25 h"), encoding="utf-8")
    assert at.told("verify-report", str(report), "--keys", keys, code=1)["word"] == "FALSE"


def sold(at: Desk) -> Path:
    """Registered by its maker with the actuator that it was made with, and sold."""
    maker = at.key("ACME", "maker")
    made = f"{MADE:%Y-%m-%d}"
    line = f"{ROBOT},ACME,M1,L3,2,{made},{made},Ada Lovelace,GB,{made},OLD-1,A-17"
    done = at.told("robot", "import", at.file("r.csv", HEAD, line), "--key", str(maker), "--holder", "ACME")
    assert (done["written"], done["refused"]) == (1, [])
    return maker


async def used(database: asyncpg.Connection) -> None:
    """Half of every hour. The robot itself tells of its parts."""
    set_back = [TAKEN_S if hour >= SET_BACK_H else 0 for hour in range(USED_H)]
    await lived(database, ROBOT, MADE, [1800 * hour + 10 - set_back[hour] for hour in range(USED_H)])
    swapped = MADE + timedelta(hours=SWAPPED_H)
    await saw(database, ROBOT, "joint/1", "OLD-1", MADE, swapped)
    await saw(database, ROBOT, "joint/1", "NEW-2", swapped, MADE + timedelta(hours=USED_H))


def resold(at: Desk, maker: Path) -> None:
    code, said = at.said(
        "logbook", "write", ROBOT, "ownership", "--owner", "Grace Hopper", "--country", "US",
        "--happened", SOLD_AGAIN.isoformat(), "--key", str(maker),
    )  # fmt: skip
    assert code == 0, said


def standing(audited: dict[str, object]) -> set[tuple[str, str]]:
    """What is established, by rule and component."""
    found = cast("list[dict[str, Any]]", audited["findings"])
    return {(f["rule"], f["component"]) for f in found if f["confidence"] == "established" and not f["closed"]}


@pytest.mark.parametrize(
    ("tampering", "number"),
    [
        ("UPDATE logbook_entry SET record = set_byte(record, 200, get_byte(record, 200) # 1) WHERE number = 2", 2),
        ("DELETE FROM logbook_entry WHERE number = 4", 4),
        ("UPDATE logbook_entry SET number = CASE number WHEN 2 THEN 13 ELSE 12 END WHERE number IN (2, 3)", 2),
    ],
    ids=["a byte changed", "the end cut off", "two swapped"],
)
async def test_whoever_changes_a_logbook_in_the_database_is_found_out(
    at: Desk, database: asyncpg.Connection, tampering: str, number: int
):
    sold(at)
    assert await database.fetchval("SELECT max(number) FROM logbook_entry") == 4
    assert at.said("logbook", "checkpoint")[0] == 0
    assert at.told("verify-log", ROBOT)["faults"] == []
    await database.execute("ALTER TABLE logbook_opened DROP CONSTRAINT logbook_opened_robot_id_number_fkey")
    await database.execute(tampering)
    faults = cast("list[dict[str, Any]]", at.told("verify-log", ROBOT, code=1)["faults"])
    assert number in {fault["number"] for fault in faults}


@pytest.mark.parametrize(
    ("code", "cause", "verdict"),
    [(RELEASED, Kind.SOFTWARE, Verdict.SOFTWARE), (NEGLECTED, Kind.MAINTENANCE, Verdict.MAINTENANCE)],
)
async def test_an_incident_points_to_its_cause(
    at: Desk, database: asyncpg.Connection, code: str, cause: Kind, verdict: Verdict
):
    case = plain(cause, verdict)
    await add_case(database, case, code)
    part = assess(case).part
    await neighbours(at, database, case, part, cause)
    opened = at.told("incident", "open", code, "--at", time_of(case.at_us).isoformat(), "--note", "it fell")
    assert (opened["verdict"], opened["part"]) == (verdict, part)
    bundle = at.home / "bundle.zip"
    assert at.said("incident", "export", str(opened["incident_id"]), "--out", str(bundle))[0] == 0
    keys = str(at.home / "platform.keys")
    assert at.said("verify-bundle", str(bundle), "--keys", keys)[0] in (0, 3)
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    assert at.said("verify-bundle", str(bundle), "--keys", keys)[0] == 1


async def neighbours(at: Desk, database: asyncpg.Connection, case: Any, part: str, cause: Kind) -> None:
    """Others of the model: on the bad release many show the same; or those that are overdue do."""
    if cause is Kind.SOFTWARE:
        await add_neighbours(database, case, case.past.software[-1], 30, 12, part)
        await add_neighbours(database, case, case.past.software[0], 30, 0, part)
        return
    for state, affected in (("overdue", 12), ("ok", 0)):
        await add_neighbours(database, case, case.past.software[-1], 30, affected, part, state)
    plan = at.file(
        "plan.toml", 'maker = "TEST"', 'model = "MODEL1"', "[[tasks]]", 'name = "grease"', f'component = "{part}"',
        "every_days = 90",
    )  # fmt: skip
    assert at.said("maintenance", "plan", "import", plan)[0] == 0
    made = f"{time_of(case.at_us) - timedelta(days=200):%Y-%m-%d}"
    line = f"{NEGLECTED},ACME,M1,L3,2,{made},{made}"
    done = at.told("robot", "import", at.file("n.csv", "code,maker,model,level,joints,made,registered", line))
    assert done["refused"] == []
