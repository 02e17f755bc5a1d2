"""Whoever changes a logbook in the database itself is found out, and the entry is named: `verify-log CODE`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import asyncpg
import msgspec
import pytest

from deploy import cli
from ingest.landing import Landing
from processors.checkpointing import Checkpointer
from schemas.book import decode_book, encode_book
from schemas.canonical import canonical, parse
from schemas.chain import Key
from schemas.entry import decode_record, encode_record
from schemas.errors import ContractError, RetryError
from schemas.kafka import Kafka
from schemas.logbook import Role
from schemas.signing import Purpose, public_key, sign
from support.landed_logbooks import land
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
    SWAPPED,
    WORKSHOP,
    Writer,
    begun,
)

NO_KAFKA = Kafka("127.0.0.1:1")
ALL = 9
Change = Callable[[asyncpg.Connection], object]


def life() -> Writer:
    """Nine entries: the fifth registers it, the sixth sells it."""
    writer = begun()
    writer.write(SOLD, MAKER, OWNER)
    for _ in range(3):
        writer.write(SWAPPED, WORKSHOP)
    return writer


@pytest.fixture
async def home(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROBOVITALS_DATABASE_URL", database_url)
    monkeypatch.setenv("ROBOVITALS_KAFKA_BOOTSTRAP", NO_KAFKA.bootstrap)
    monkeypatch.setenv("ROBOVITALS_HOME", str(tmp_path))
    (tmp_path / "platform_key").write_text(PLATFORM.private_bytes_raw().hex())
    (tmp_path / "platform_key").chmod(0o600)
    return tmp_path


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Landing]:
    landing = Landing(database_url, PLATFORM)
    yield landing
    await landing.close()


@pytest.fixture
def makes(home: Path) -> Checkpointer:
    return Checkpointer(PLATFORM, PLATFORMS, home / "checkpoints.jsonl", NO_KAFKA)


async def checkpoint(makes: Checkpointer, database: asyncpg.Connection) -> None:
    assert await makes.make(database) is not None
    with suppress(RetryError):  # the file has it
        await makes.publish(database)


@pytest.fixture
async def logbook(books: Landing, makes: Checkpointer, database: asyncpg.Connection) -> Writer:
    """Of two robots, with a checkpoint behind the sixth entry and one behind the last."""
    writer, other = life(), begun(OTHER_ROBOT)
    await land(books, [*writer.records[:6], *other.records])
    await checkpoint(makes, database)
    await land(books, writer.records[6:])
    await checkpoint(makes, database)
    return writer


async def verify(*arguments: str) -> int:
    """Beside this test's loop, for a command has its own."""
    return await asyncio.to_thread(cli.main, ["verify-log", *arguments])


async def verdict(capsys: pytest.CaptureFixture[str], robot_id: str = ROBOT) -> tuple[str, set[tuple[int, str]]]:
    """Its word, and the entries and faults that it names."""
    code = await verify(robot_id, "--json")
    said = msgspec.json.decode(capsys.readouterr().out)
    faults = {(found["number"], found["fault"]) for found in said["faults"]}
    return {0: "PROVEN", 1: "FALSE", 3: "NOT PROVEN"}[code], faults


async def changed(database: asyncpg.Connection, number: int, change: Callable[[dict], dict]) -> None:
    """A record's document, changed and put back."""
    data = await database.fetchval(
        "SELECT record FROM logbook_entry WHERE robot_id = $1 AND number = $2", ROBOT, number
    )
    document = parse(data)
    assert isinstance(document, dict)
    await put(database, number, canonical(change(document)))


async def put(database: asyncpg.Connection, number: int, data: bytes) -> None:
    await database.execute(
        "UPDATE logbook_entry SET record = $3 WHERE robot_id = $1 AND number = $2", ROBOT, number, data
    )


async def test_untouched_it_is_proven_and_says_by_what(logbook: Writer, home: Path, capsys):
    assert await verify(ROBOT) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        f"PROVEN: {ROBOT}, robot {ROBOT}, 9 entries\n  up to entry 9 as it was at the checkpoint of"
    )
    assert "held against the stack's own keys" in out
    assert f"held against the stack's own checkpoints: {home}/checkpoints.jsonl" in out
    assert await verdict(capsys, OTHER_ROBOT) == ("PROVEN", set())


async def test_every_changed_byte_of_a_record_is_named(logbook: Writer, database: asyncpg.Connection, capsys):
    data = await database.fetchval("SELECT record FROM logbook_entry WHERE robot_id = $1 AND number = 7", ROBOT)
    for at in range(0, len(data), 97):
        await put(database, 7, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        word, faults = await verdict(capsys)
        assert word == "FALSE"
        assert {number for number, _ in faults} <= {7}, (at, faults)
        assert faults
    await put(database, 7, data)
    assert await verdict(capsys) == ("PROVEN", set())


async def _tail(database: asyncpg.Connection) -> None:
    await database.execute("DELETE FROM logbook_entry WHERE robot_id = $1 AND number > 7", ROBOT)


async def _rebuilt(database: asyncpg.Connection) -> None:
    """The tail is gone, and the head says so, as if nothing had been."""
    await _tail(database)
    record = decode_record(
        await database.fetchval("SELECT record FROM logbook_entry WHERE robot_id = $1 AND number = 7", ROBOT)
    )
    stored = await database.fetchval("SELECT book FROM logbook_head WHERE robot_id = $1", ROBOT)
    book = decode_book(stored, PLATFORMS, {})
    book.number, book.chain, book.received_us = 7, record.link.hash, record.link.received_us
    await database.execute(
        "UPDATE logbook_head SET entries = 7, chain = $2, book = $3, pinned_entries = 7, pinned_chain = $2,"
        " received = (SELECT received FROM logbook_entry WHERE robot_id = $1 AND number = 7) WHERE robot_id = $1",
        ROBOT,
        book.chain,
        encode_book(book),
    )


async def _head_only(database: asyncpg.Connection) -> None:
    await database.execute("UPDATE logbook_head SET entries = 6 WHERE robot_id = $1", ROBOT)


async def _own_key(database: asyncpg.Connection) -> None:
    """Somebody gives himself a key, in what the next entry is judged by."""
    stored = await database.fetchval("SELECT book FROM logbook_head WHERE robot_id = $1", ROBOT)
    book = decode_book(stored, PLATFORMS, {})
    book.keys[public_key(STRANGER)] = Key(Role.MAKER, "nobody")
    await database.execute("UPDATE logbook_head SET book = $2 WHERE robot_id = $1", ROBOT, encode_book(book))


async def _swapped(database: asyncpg.Connection) -> None:
    for old, new in ((7, 99), (8, 7), (99, 8)):
        await database.execute(
            "UPDATE logbook_entry SET number = $3 WHERE robot_id = $1 AND number = $2", ROBOT, old, new
        )


async def _middle(database: asyncpg.Connection) -> None:
    await database.execute("DELETE FROM logbook_entry WHERE robot_id = $1 AND number = 7", ROBOT)


async def _received(database: asyncpg.Connection) -> None:
    await changed(
        database, 8, lambda d: d | {"link": d["link"] | {"received_us": d["link"]["received_us"] - 86_400_000_000}}
    )


async def _received_column(database: asyncpg.Connection) -> None:
    await database.execute(
        "UPDATE logbook_entry SET received = received - interval '1 day' WHERE robot_id = $1 AND number = 8", ROBOT
    )


async def _author(database: asyncpg.Connection) -> None:
    """Signed by another, who is registered too."""

    def by_operator(document: dict) -> dict:
        entry = document["entry"] | {"author": public_key(OPERATOR)}
        return document | {"entry": entry, "signature": sign(OPERATOR, Purpose.ENTRY, canonical(entry))}

    await changed(database, 8, by_operator)


async def _kind_column(database: asyncpg.Connection) -> None:
    await database.execute(
        "UPDATE logbook_entry SET kind = 'calibration', author = $2 WHERE robot_id = $1 AND number = 9",
        ROBOT,
        public_key(MAKER),
    )


async def _opened(database: asyncpg.Connection) -> None:
    await database.execute("UPDATE logbook_opened SET value = 'Somebody else' WHERE robot_id = $1", ROBOT)


async def _twice(database: asyncpg.Connection) -> None:
    await database.execute(
        "INSERT INTO logbook_entry SELECT robot_id, 10, repeat('0', 32), kind, author, happened, written, received,"
        " runtime_s, record, checkpoint FROM logbook_entry WHERE robot_id = $1 AND number = 9",
        ROBOT,
    )


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_tail, {(8, "tail_missing")}),
        (_rebuilt, {(8, "tail_missing")}),
        (_head_only, {(7, "unchained")}),
        (_own_key, {(9, "unchained")}),
        (_swapped, {(7, "reordered"), (7, "altered"), (8, "altered")}),
        (_middle, {(7, "missing")}),
        (_received, {(8, "unsealed"), (8, "altered")}),
        (_received_column, {(8, "altered")}),
        (_author, {(8, "altered")}),
        (_kind_column, {(9, "altered")}),
        (_opened, {(6, "wrong_opening")}),
        (_twice, {(9, "repeated"), (10, "altered"), (10, "unchained")}),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
async def test_each_tampering_is_named_with_its_entry(
    logbook: Writer, database: asyncpg.Connection, capsys, change: Change, named: set[tuple[int, str]]
):
    await change(database)
    word, faults = await verdict(capsys)
    assert word == "FALSE"
    assert faults == named
    assert await verdict(capsys, OTHER_ROBOT) == ("PROVEN", set()), "its neighbours are what they were"


async def test_a_record_sealed_by_another_key_is_named(logbook: Writer, database: asyncpg.Connection, capsys):
    record = logbook.records[8]
    link = msgspec.structs.replace(record.link, platform=public_key(STRANGER))
    forged = msgspec.structs.replace(record, link=link, seal=sign(STRANGER, Purpose.LINK, canonical(link)))
    await put(database, 9, encode_record(forged))
    word, faults = await verdict(capsys)
    assert (word, faults) == ("FALSE", {(9, "unsealed"), (9, "tail_missing")})


@pytest.mark.parametrize("goes_on", [True, False])
async def test_no_checkpoint_signs_a_logbook_whose_end_was_cut_off(
    logbook: Writer, books: Landing, makes: Checkpointer, database: asyncpg.Connection, goes_on: bool
):
    await _rebuilt(database)
    again = [logbook.write(SWAPPED, WORKSHOP)] if goes_on else begun("ZZTESTMODEL100000000000000003").records[:1]
    await land(books, again)
    with pytest.raises(ContractError, match=f"robot {ROBOT}, entry 7: the checkpoint before has another"):
        await makes.make(database)
    assert await database.fetchval("SELECT max(size) FROM logbook_checkpoint") == 2


async def test_no_checkpoint_leaves_a_logbook_out_that_one_before_has(
    logbook: Writer, books: Landing, makes: Checkpointer, database: asyncpg.Connection
):
    await land(books, [logbook.write(SWAPPED, WORKSHOP)])
    await database.execute("DELETE FROM logbook_entry WHERE robot_id = $1", OTHER_ROBOT)
    await database.execute("DELETE FROM logbook_head WHERE robot_id = $1", OTHER_ROBOT)
    with pytest.raises(ContractError, match="1 logbooks that the checkpoint before has are not there any more"):
        await makes.make(database)


async def test_no_checkpoint_signs_an_entry_that_the_platform_did_not_seal(
    logbook: Writer, makes: Checkpointer, database: asyncpg.Connection
):
    record = logbook.write(SWAPPED, WORKSHOP)
    link = msgspec.structs.replace(record.link, platform=public_key(STRANGER))
    forged = msgspec.structs.replace(record, link=link, seal=sign(STRANGER, Purpose.LINK, canonical(link)))
    await database.execute(
        "INSERT INTO logbook_entry SELECT robot_id, 10, repeat('0', 32), kind, author, happened, written, received,"
        " runtime_s, $2, NULL FROM logbook_entry WHERE robot_id = $1 AND number = 9",
        ROBOT,
        encode_record(forged),
    )
    with pytest.raises(ContractError, match="entry 10: the platform did not seal it"):
        await makes.make(database)


async def test_no_checkpoint_follows_one_that_was_changed_in_the_database(
    logbook: Writer, books: Landing, makes: Checkpointer, database: asyncpg.Connection
):
    await land(books, [logbook.write(SWAPPED, WORKSHOP)])
    await database.execute(
        "UPDATE logbook_checkpoint SET line = (SELECT line FROM logbook_checkpoint WHERE size = 1)"
    )
    with pytest.raises(ContractError, match="checkpoint 2 is another in"):
        await makes.make(database)


async def test_a_checkpoint_that_was_kept_elsewhere_finds_a_platform_that_changed_its_past(
    logbook: Writer, home: Path, database: asyncpg.Connection, capsys
):
    """The database and the stack's file begin anew, sealed with the true key; an old line is all that is needed."""
    kept = home / "kept.jsonl"
    kept.write_bytes((home / "checkpoints.jsonl").read_bytes().splitlines(keepends=True)[1])
    (home / "checkpoints.jsonl").unlink()
    await database.execute("DELETE FROM logbook_tree")
    await database.execute("DELETE FROM logbook_checkpoint")
    await _rebuilt(database)
    await database.execute("UPDATE logbook_entry SET checkpoint = NULL")
    again = Checkpointer(PLATFORM, PLATFORMS, home / "checkpoints.jsonl", NO_KAFKA)
    await checkpoint(again, database)
    assert (await verdict(capsys))[0] == "PROVEN", "by what the platform says itself"
    assert await verify(ROBOT, "--checkpoint", str(kept)) == 1
    assert "checkpoint" in capsys.readouterr().out
