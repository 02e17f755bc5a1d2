"""Lives in a real database become findings, which close by themselves when what was missing arrives."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from deploy import cli
from deploy.settings import DATABASE_URL
from deploy.settings import KAFKA_BOOTSTRAP as KAFKA
from processors import audit_tables, auditing
from processors.audit.found import Rule
from schemas.entry import encode_record
from schemas.logbook import PartInstalled, What, kind_name
from schemas.robot_code import make_code
from serve import findings
from support.hourly import lived, saw
from support.logbooks import REGISTERED, Writer

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
ROBOT, OTHER = make_code("ZZ", "TEST", "MODEL1", "1"), make_code("ZZ", "TEST", "MODEL1", "2")
DAYS = 120
SWAP_H, ROLLBACK_H = 300, 400
TAKEN_S = 50 * 3600


def at(hour: int) -> datetime:
    return NOW - timedelta(days=DAYS) + timedelta(hours=hour)


def counted(first_h: int, end_h: int) -> list[int]:
    """Half of every hour, set back once."""
    return [1800 * hour + 10 - (TAKEN_S if hour >= ROLLBACK_H else 0) for hour in range(first_h, end_h)]


async def wrote(database: asyncpg.Connection, writer: Writer, what: What, hour: int) -> None:
    happened = at(hour)
    record = writer.force(writer.sign(what, happened_us=round(happened.timestamp() * 1e6)))
    entry, number = record.signed.entry, record.link.number
    await database.execute(
        "INSERT INTO logbook_entry VALUES ($1, $2, $3, $4, '', $5, $5, $5, NULL, $6)",
        ROBOT, number, entry.id, kind_name(type(what)), happened, encode_record(record),
    )  # fmt: skip
    await database.execute(
        "INSERT INTO logbook_head VALUES ($1, $2, '', $3, '') ON CONFLICT (robot_id) DO UPDATE"
        " SET entries = excluded.entries",
        ROBOT, number, happened,
    )  # fmt: skip


async def audited(database: asyncpg.Connection) -> auditing.Tally:
    return await auditing.audit(database, NOW, None, lambda done, whole: None)


async def standing(database: asyncpg.Connection, code: str = ROBOT) -> dict[str, str]:
    return {one.rule: one.confidence for one in await findings.of_robot(database, code) if not one.closed}


async def swapped_and_set_back(database: asyncpg.Connection) -> Writer:
    """A robot whose actuator was swapped without an entry, and whose counter was set back."""
    writer = Writer(ROBOT)
    await wrote(database, writer, REGISTERED, 0)
    await lived(database, ROBOT, at(0), counted(0, 600))
    await saw(database, ROBOT, "joint/1", "OLD-1", at(0), at(SWAP_H))
    await saw(database, ROBOT, "joint/1", "NEW-2", at(SWAP_H), at(600))
    return writer


async def test_a_swap_without_an_entry_and_a_counter_that_was_set_back_are_both_named(
    database: asyncpg.Connection,
) -> None:
    await swapped_and_set_back(database)
    tally = await audited(database)
    assert (tally.robots, tally.whole, tally.hours) == (1, 1, 600)
    found = await standing(database)
    assert found[Rule.SWAP] == found[Rule.ROLLBACK] == "established"
    (line,) = [one for one in await findings.of_robot(database, ROBOT) if one.rule == Rule.ROLLBACK]
    assert "went back by 50 h" in line.text
    assert line.evidence_for[0].values["before_s"] - line.evidence_for[0].values["after_s"] == TAKEN_S - 1800


async def test_a_finding_closes_by_itself_when_the_missing_entry_arrives(database: asyncpg.Connection) -> None:
    writer = await swapped_and_set_back(database)
    await audited(database)
    await wrote(database, writer, PartInstalled(component="joint/1", part="gear", serial="new 2"), SWAP_H)
    tally = await audited(database)
    assert (tally.whole, tally.closed) == (1, 1)
    assert Rule.SWAP not in await standing(database)
    (line,) = [one for one in await findings.of_robot(database, ROBOT) if one.rule == Rule.SWAP]
    assert line.closed
    assert line.closed_because == auditing.NO_LONGER
    assert Rule.ROLLBACK in await standing(database)


async def test_an_entry_that_somebody_made_unreadable_stops_no_audit(database: asyncpg.Connection) -> None:
    writer = await swapped_and_set_back(database)
    await wrote(database, writer, PartInstalled(component="joint/1", part="gear", serial="new 2"), SWAP_H)
    await lived(database, OTHER, at(0), counted(0, 600))
    await database.execute("UPDATE logbook_entry SET record = 'torn' WHERE robot_id = $1 AND number = 1", ROBOT)
    assert (await audited(database)).robots == 2
    assert Rule.SWAP not in await standing(database), "the entry that can be read counts"
    assert Rule.ROLLBACK in await standing(database)
    assert Rule.ROLLBACK in await standing(database, OTHER)


async def test_what_was_audited_costs_only_its_new_hours_and_they_are_held_against_those_before(
    database: asyncpg.Connection,
) -> None:
    await lived(database, ROBOT, at(0), counted(0, ROLLBACK_H))
    assert (await audited(database)).hours == ROLLBACK_H
    assert not await standing(database)
    assert (await audited(database)).robots == 0
    await lived(database, ROBOT, at(ROLLBACK_H), counted(ROLLBACK_H, ROLLBACK_H + 24))
    tally = await audited(database)
    assert (tally.robots, tally.whole) == (1, 0)
    assert tally.hours <= 24 * 4
    assert (await standing(database))[Rule.ROLLBACK] == "established"
    before = [one.finding_id for one in await findings.of_robot(database, ROBOT)]
    await auditing.audit(database, NOW, [ROBOT], lambda done, whole: None, whole=True)
    assert [one.finding_id for one in await findings.of_robot(database, ROBOT)] == before


async def test_one_serial_in_two_robots_that_are_both_live_is_told_of_both(database: asyncpg.Connection) -> None:
    for code in (ROBOT, OTHER):
        await lived(database, code, at(0), [1800 * hour for hour in range(100)])
        await saw(database, code, "battery", "B-77", at(10), at(90))
    await audited(database)
    for code in (ROBOT, OTHER):
        assert await standing(database, code) == {Rule.CLONED_PART: "established"}


async def test_a_part_that_moves_on_is_no_clone(database: asyncpg.Connection) -> None:
    for code, hours in ((ROBOT, range(50)), (OTHER, range(51, 100))):
        await lived(database, code, at(0), [1800 * hour for hour in range(100)])
        await saw(database, code, "battery", "B-77", at(hours.start), at(hours.stop))
    await audited(database)
    assert await standing(database, ROBOT) == await standing(database, OTHER) == {}


async def test_a_second_audit_at_the_same_time_is_told(
    database: asyncpg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv(DATABASE_URL, database_url)
    assert await audit_tables.is_ours(database)
    monkeypatch.setenv(KAFKA, "127.0.0.1:1")
    assert await asyncio.to_thread(cli.main, ["audit", "--fleet"]) != 0
    assert "another `robovitals audit`" in capsys.readouterr().err


def test_the_command_says_what_it_did(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DATABASE_URL, database_url)
    monkeypatch.setenv(KAFKA, "127.0.0.1:1")
    assert cli.main(["audit", "--fleet"]) == 0
    assert "0 robots" in capsys.readouterr().out
