"""Names behind entries are erased everywhere that we keep them; the logbook is as true as before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import msgspec
import pytest

from deploy import cli
from deploy.erasing import without_opened
from ingest.landing import Judged, Landed, Landing
from processors.checkpointing import Checkpointer
from schemas.canonical import canonical, parse
from schemas.errors import RetryError
from schemas.kafka import Kafka
from schemas.logbook import MaintenanceDone, Opened, Operation
from serve.people import Role
from support import two_fleets
from support.asgi import ask
from support.frames import FakeRecord
from support.landed_logbooks import batch_of, land, sent, value
from support.logbooks import (
    MAKER,
    OPERATOR,
    OTHER_ROBOT,
    OWNER,
    PLATFORM,
    PLATFORMS,
    ROBOT,
    SOLD,
    STRANGER,
    WORKSHOP,
    begun,
)

BY = Opened(salt="6b" * 16, value="Ada Lovelace, Berlin")
SITE = Opened(salt="7c" * 16, value="Berlin, hall 3")
NO_KAFKA = Kafka("127.0.0.1:1")


@pytest.fixture
async def books(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Landing]:
    """Two robots: the first was sold to Ada, who services it too and sites it; the second was sold to her."""
    monkeypatch.setenv("ROBOVITALS_DATABASE_URL", database_url)
    monkeypatch.setenv("ROBOVITALS_KAFKA_BOOTSTRAP", NO_KAFKA.bootstrap)
    monkeypatch.setenv("ROBOVITALS_HOME", str(tmp_path))
    (tmp_path / "platform_key").write_text(PLATFORM.private_bytes_raw().hex())
    (tmp_path / "platform_key").chmod(0o600)
    landing = Landing(database_url, PLATFORM)
    one, two = begun(), begun(OTHER_ROBOT)
    one.write(SOLD, MAKER, OWNER)
    one.write(Operation(operator=OWNER.commitment, site=SITE.commitment), OPERATOR, OWNER, SITE)
    one.write(MaintenanceDone(task="grease", component="joint/1", by=BY.commitment), WORKSHOP, BY)
    two.write(SOLD, MAKER, OWNER)
    await land(landing, [*one.records, *two.records])
    connection = await asyncpg.connect(database_url)
    checkpointer = Checkpointer(PLATFORM, PLATFORMS, tmp_path / "checkpoints.jsonl", NO_KAFKA)
    assert await checkpointer.make(connection) is not None
    with suppress(RetryError):
        await checkpointer.publish(connection)
    await connection.close()
    yield landing
    await landing.close()


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(cli.main, list(arguments))


async def left(database: asyncpg.Connection) -> list[tuple[str, int, str]]:
    return [tuple(row) for row in await database.fetch(
        "SELECT robot_id, number, value FROM logbook_opened ORDER BY robot_id, number, value"
    )]  # fmt: skip


async def test_a_person_is_erased_by_name_from_one_robot(books: Landing, database: asyncpg.Connection, capsys):
    assert await run("logbook", "erase", ROBOT, "--value", OWNER.value, "--reason", "she asked") == 0
    said = capsys.readouterr().out
    assert [f"entry {number}" in said for number in (6, 7, 8)] == [True] * 3
    assert await left(database) == [(ROBOT, 7, SITE.value), (OTHER_ROBOT, 6, OWNER.value)]
    rows = await database.fetch("SELECT number, commitment, erased_by, reason FROM logbook_erased ORDER BY number")
    assert [(row["number"], row["reason"]) for row in rows] == [
        (6, "she asked"),
        (7, "she asked"),
        (8, "she asked"),
    ]
    assert rows[2]["commitment"] == BY.commitment
    assert rows[0]["erased_by"]
    assert await run("verify-log", ROBOT) == 0
    assert OWNER.value not in capsys.readouterr().out


async def test_a_person_is_erased_by_name_from_every_robot(books: Landing, database: asyncpg.Connection):
    assert await run("logbook", "erase", "--value", OWNER.value, "--reason", "she asked") == 0
    assert await left(database) == [(ROBOT, 7, SITE.value)]
    assert await run("verify-log", OTHER_ROBOT) == 0


async def test_an_entry_is_erased_by_its_number(books: Landing, database: asyncpg.Connection):
    assert await run("logbook", "erase", ROBOT, "--entry", "7", "--reason", "moved") == 0
    assert [(robot, number) for robot, number, _ in await left(database)] == [
        (ROBOT, 6),
        (ROBOT, 8),
        (OTHER_ROBOT, 6),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reason", "x"], "name a robot"),
        (["--value", "nobody", "--reason", "x"], "nothing that is kept matches"),
        (["--value", OWNER.value, "--entry", "6", "--reason", "x"], "--entry is of one robot"),
        ([ROBOT], "--reason"),
    ],
)
async def test_what_cannot_be_erased_is_said(books: Landing, database: asyncpg.Connection, capsys, arguments, said):
    assert await run("logbook", "erase", *arguments) == 2
    assert said in capsys.readouterr().err
    assert len(await left(database)) == 5


async def test_what_was_refused_loses_the_name_too_and_keeps_the_rest(books: Landing, database: asyncpg.Connection):
    writer = begun()
    record = writer.force(writer.sign(SOLD, STRANGER), (OWNER,))
    broken = b'{"opened":"' + OWNER.value.encode() + b'"'
    records = [*sent([record], first=14), FakeRecord(ROBOT.encode(), broken, 15, writer.now_us // 1000)]
    batch = batch_of(records)
    judged = await books.land(batch)
    assert isinstance(judged, Judged)
    assert await books.land(batch.with_refusals(judged.found)) == Landed(0)
    assert await run("logbook", "erase", ROBOT, "--value", OWNER.value, "--reason", "she asked") == 0
    kept = [row["value"] for row in await database.fetch("SELECT value FROM reject ORDER BY record_offset")]
    whole = parse(value(record))
    assert isinstance(whole, dict)
    assert kept == [canonical(whole | {"opened": []}), b""]


def test_only_the_value_goes_and_what_has_none_of_it_stays():
    writer = begun()
    record = writer.force(
        writer.sign(Operation(operator=OWNER.commitment, site=SITE.commitment), OPERATOR), (OWNER, SITE)
    )
    without = msgspec.json.decode(without_opened(value(record), OWNER.value))
    assert without["opened"] == [msgspec.to_builtins(SITE)]
    assert without_opened(value(record), "Somebody else") == value(record)
    assert without_opened(b"\xc1", "Somebody else") == b"\xc1"
    assert without_opened(b"\xc1", None) == b""


async def test_an_export_has_names_for_operators_and_none_for_viewers(
    books: Landing, database, database_url, capsys
):
    await two_fleets.fill(database)
    path = f"/api/v1/robots/{ROBOT}/logbook.jsonl"
    async with two_fleets.application(database_url) as app:
        for role, named in ((Role.VIEWER, False), (Role.OPERATOR, True), (Role.ADMIN, True)):
            answer = await ask(app, "GET", path, await two_fleets.token(database, role))
            assert answer.status == 200
            assert (OWNER.value.encode() in answer.body) is named
            assert OWNER.commitment.encode() in answer.body
        ours = await ask(app, "GET", path, await two_fleets.token(database, Role.OPERATOR, ["ours"]))
        assert ours.status == 404
    assert await run("logbook", "export", ROBOT, "--no-names") == 0
    assert OWNER.value not in capsys.readouterr().out
