"""A robot's credentials against a Kafka that lets in only whom it knows: given, used, taken away."""

import asyncio
import tomllib
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy import cli, settings, topics
from deploy.local.kafka import KafkaServer
from ingest.access import Reason, refusal
from schemas.kafka import Kafka
from schemas.topics import FRAMES, HEALTH
from support.frames import CODE
from support.secured import REAUTHENTICATE_MS, Secured, producing, refused


@pytest.fixture
def secured(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Secured]:
    server = KafkaServer(
        tmp_path, settings.read_settings().cache, secured=True, reauthenticate_ms=REAUTHENTICATE_MS
    )
    monkeypatch.setenv(settings.HOME, str(tmp_path))
    monkeypatch.setenv(settings.DATABASE_URL, database_url)
    monkeypatch.delenv(settings.SEAL_MASTER, raising=False)
    try:
        server.start()
        for name, value in settings.kafka_environ(server.access).items():
            monkeypatch.setenv(name, value)
        asyncio.run(topics.ensure(server.access))
        yield Secured(server)
    finally:
        server.stop()


async def command(*arguments: str) -> int:
    return await asyncio.to_thread(cli.main, ["robot", *arguments])


def kafka_of(path: Path) -> Kafka:
    given = tomllib.loads(path.read_text())
    return Kafka(given["bootstrap"], given["user"], given["password"], given["ca"])


async def reason(kafka: Kafka) -> Reason | None:
    found = await refusal(kafka)
    return found.reason if found is not None else None


async def test_a_robot_comes_in_with_its_file_alone_until_it_is_revoked(
    secured: Secured, tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    assert await command("master") == 0
    assert await command("register", CODE, "--out", str(first), "--quota", "1000000") == 0
    assert await command("rotate", CODE, "--out", str(second)) == 0
    for path in (first, second):  # both are good while they overlap
        async with producing(kafka_of(path)) as producer:
            await asyncio.wait_for(producer.send_and_wait(FRAMES.name, b"x", CODE.encode()), 60)
            assert await refused(producer, HEALTH.name) == "TopicAuthorizationFailedError"
    said = capsys.readouterr()
    for path in (first, second):
        given = tomllib.loads(path.read_text())
        assert given["password"] not in said.out + said.err
        assert given["seal_key"] not in said.out + said.err
    assert await command("revoke", CODE) == 0
    for path in (first, second):
        assert await reason(kafka_of(path)) is Reason.PASSWORD
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM robot_credential WHERE kafka_user <> ''") == 0
    await connection.close()


async def test_a_password_whose_overlap_is_over_is_taken_away_by_a_command_that_does_nothing_else(
    secured: Secured, tmp_path: Path, database: asyncpg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    assert await command("master") == 0
    assert await command("register", CODE, "--out", str(first)) == 0
    assert await command("rotate", CODE, "--out", str(second)) == 0
    assert await command("tidy") == 0
    assert "no user of Kafka has a key that has ended" in capsys.readouterr().out
    assert await reason(kafka_of(first)) is None
    await database.execute("UPDATE robot_credential SET ends = now() WHERE ends IS NOT NULL")
    assert await command("tidy") == 0
    assert f"robot-{CODE}-1: taken away" in capsys.readouterr().out
    assert await reason(kafka_of(first)) is Reason.PASSWORD
    assert await reason(kafka_of(second)) is None


async def test_without_overlap_the_old_password_is_over_at_once(
    secured: Secured, tmp_path: Path, database_url: str
) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    assert await command("master") == 0
    assert await command("register", CODE, "--out", str(first)) == 0
    assert await command("rotate", CODE, "--overlap", "0", "--out", str(second)) == 0
    assert await reason(kafka_of(first)) is Reason.PASSWORD
    assert await reason(kafka_of(second)) is None
