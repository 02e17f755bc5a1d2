"""What the platform's pages and reports say of a logbook's integrity, whatever happens while it is asked."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from ingest.landing import Landing
from processors.checkpointing import Checkpointer
from schemas.kafka import Kafka
from schemas.logbook_check import Verdict
from serve import passport
from serve.logbook_export import Stored, read_logbook
from support.landed_logbooks import land
from support.logbooks import PLATFORM, PLATFORMS, ROBOT, SWAPPED, WORKSHOP, Writer, begun


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Landing]:
    landing = Landing(database_url, PLATFORM)
    yield landing
    await landing.close()


@pytest.fixture
def makes(tmp_path: Path) -> Checkpointer:
    return Checkpointer(PLATFORM, PLATFORMS, tmp_path / "checkpoints.jsonl", Kafka("127.0.0.1:1"))


@pytest.fixture
async def writer(books: Landing, database: asyncpg.Connection, makes: Checkpointer) -> Writer:
    """Five entries, in a checkpoint, and one more."""
    writer = begun()
    await land(books, writer.records)
    await makes.make(database)
    await land(books, [writer.write(SWAPPED, WORKSHOP)])
    return writer


async def judged(database: asyncpg.Connection, platforms: frozenset[str] = PLATFORMS) -> Verdict:
    verdict = await passport.integrity(*await passport.with_checkpoint(database, ROBOT), platforms)
    assert verdict is not None
    return verdict


@pytest.mark.parametrize("first", [True, False])
async def test_a_checkpoint_that_is_made_while_it_is_asked_makes_nothing_false(
    writer: Writer, database: asyncpg.Connection, makes: Checkpointer, monkeypatch: pytest.MonkeyPatch, first: bool
):
    async def meanwhile(connection: asyncpg.Connection, code: str) -> Stored:
        if first:
            await makes.make(database)
        stored = await read_logbook(connection, code)
        if not first:
            await makes.make(database)
        return stored

    monkeypatch.setattr(passport, "read_logbook", meanwhile)
    verdict = await judged(database)
    assert verdict.is_proven, verdict
    assert verdict.anchored == (6 if first else 5)


async def test_without_keys_a_sound_logbook_is_not_proven_and_a_changed_one_false(
    writer: Writer, database: asyncpg.Connection
):
    verdict = await judged(database, frozenset())
    assert (verdict.faults, verdict.is_proven) == ((), False)
    await database.execute("UPDATE logbook_entry SET record = 'torn' WHERE number = 3")
    assert not (await judged(database, frozenset())).is_sound


async def test_a_checkpoint_that_cannot_be_read_proves_nothing(writer: Writer, database: asyncpg.Connection):
    await database.execute("UPDATE logbook_checkpoint SET line = 'torn'")
    verdict = await judged(database)
    assert (verdict.faults, verdict.is_proven) == ((), False)
