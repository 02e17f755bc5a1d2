"""Files that people take away, over the API: of their own robots, whole or not ended as if they were, and only so
many at once.
"""

import asyncio
import io
from typing import Any

import asyncpg
import msgspec
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI

from serve import exports
from serve.exports import EXPORT
from serve.people import Person, Role
from serve.routes import export
from serve.visits import Visits
from support import two_fleets
from support.asgi import ask
from support.two_fleets import OURS, THEIRS, mark_of

TABLES = ("frames", "vitals", "hourly", "health", "anomalies")


@pytest.fixture
async def app(database_url):
    connection = await asyncpg.connect(database_url)
    await two_fleets.fill(connection)
    people = {
        "all": await two_fleets.token(connection, Role.VIEWER),
        "ours": await two_fleets.token(connection, Role.VIEWER, ["ours"]),
    }
    await connection.close()
    async with two_fleets.application(database_url) as app:
        yield app, people


@pytest.mark.parametrize("table", TABLES)
async def test_every_table_is_a_file_of_the_askers_robots(app, table):
    application, people = app
    for who, robots in (("all", {OURS, THEIRS}), ("ours", {OURS})):
        answer = await ask(
            application, "GET", f"/api/v1/export/{table}.csv?from=2000-01-01&to=2100-01-01", people[who]
        )
        assert answer.status == 200, answer.text
        assert answer.header("content-type") == "text/csv; charset=utf-8"
        assert answer.header("content-disposition") == f'attachment; filename="{table}-20000101T0000Z.csv"'
        lines = answer.text.strip().splitlines()
        column = lines[0].split(",").index("robot_id")
        assert {line.split(",")[column] for line in lines[1:]} == robots
        if who == "ours":
            assert mark_of(THEIRS) not in answer.text


async def test_parquet_is_whole(app):
    application, people = app
    answer = await ask(application, "GET", f"/api/v1/export/frames.parquet?text={OURS}", people["all"])
    assert answer.header("content-type") == "application/vnd.apache.parquet"
    assert pq.read_table(io.BytesIO(answer.body)).column("robot_id").to_pylist() == [OURS]


@pytest.mark.parametrize(
    "target", ["credential.csv", "frames.xml", "frames.csv?from=2026-02-01&to=2026-01-01", "frames.csv?from=then"]
)
async def test_what_is_no_table_form_or_range_is_refused(app, target):
    application, people = app
    assert (await ask(application, "GET", f"/api/v1/export/{target}", people["all"])).status == 422


async def test_how_much_it_would_be_is_told_first(app):
    application, people = app
    for who, expected in (("all", b'{"robots":2,"rows":2}'), ("ours", b'{"robots":1,"rows":1}')):
        answer = await ask(application, "GET", "/api/v1/export/frames/size", people[who])
        assert (answer.status, answer.body) == (200, expected)


async def test_only_so_many_are_taken_away_at_once(app):
    application, people = app
    visits: Visits = application.state.visits
    somebody = Person(name="somebody", role=Role.VIEWER, fleets=None, prefixes=("*",))
    with visits.enter(somebody, EXPORT), visits.enter(somebody, EXPORT), visits.enter(somebody, EXPORT):
        answer = await ask(application, "GET", "/api/v1/export/frames.csv", people["all"])
        assert (answer.status, answer.header("retry-after")) == (503, "10")
    mine = msgspec.structs.replace(somebody, name="program")
    with visits.enter(mine, EXPORT), visits.enter(mine, EXPORT):
        answer = await ask(application, "GET", "/api/v1/export/frames.csv", people["all"])
        assert "2 exports of program are under way" in answer.text


class Reader:
    """Takes a file's pieces as slowly as a test says: none before `go_on` is set."""

    def __init__(self, app: FastAPI, headers: dict[str, str]) -> None:
        self.go_on = asyncio.Event()
        self.begun = asyncio.Event()
        self.whole = False
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": "/api/v1/export/frames.csv", "raw_path": b"", "query_string": b"", "root_path": "",
            "headers": [(b"host", b"127.0.0.1:8080"), (b"authorization", headers["authorization"].encode())],
            "client": ("127.0.0.1", 50_000), "server": ("127.0.0.1", 8080),
        }  # fmt: skip
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            self.begun.set()
            await self.go_on.wait()
            self.whole = not message.get("more_body", False)


async def lines_of(app: FastAPI, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = await ask(app, "GET", "/api/v1/exports", headers)
    found: list[dict[str, Any]] = msgspec.json.decode(answer.body)
    return found


async def test_how_far_an_export_is_is_told_to_who_takes_it_and_to_nobody_else(app):
    application, people = app
    reader = Reader(application, people["all"])
    await reader.begun.wait()
    (line,) = await lines_of(application, people["all"])
    assert (line["table"], line["format"], line["state"], line["robots"]) == ("frames", "csv", "running", 2)
    assert await lines_of(application, people["ours"]) == []
    reader.go_on.set()
    await reader.task
    (line,) = await lines_of(application, people["all"])
    assert reader.whole
    assert (line["state"], line["done"], line["rows"], line["share"]) == ("done", 2, 2, 1.0)
    assert line["bytes"] > 100


async def test_who_takes_an_export_can_end_it_and_nobody_else_can(app):
    application, people = app
    reader = Reader(application, people["all"])
    await reader.begun.wait()
    (line,) = await lines_of(application, people["all"])
    path = f"/api/v1/exports/{line['id']}"
    assert (await ask(application, "DELETE", path, people["ours"])).status == 404
    assert (await ask(application, "DELETE", path, people["all"])).status == 200
    await reader.task
    assert not reader.whole
    (line,) = await lines_of(application, people["all"])
    assert line["state"] == "cancelled"
    assert application.state.visits.count(EXPORT) == 0


@pytest.mark.parametrize(("limit", "state"), [("TAKEN_WITHIN_S", "too_slow"), ("LASTS_S", "too_long")])
async def test_who_hardly_reads_gets_no_whole_file_and_holds_no_connection(app, monkeypatch, limit, state):
    monkeypatch.setattr(export if limit == "TAKEN_WITHIN_S" else exports, limit, 0.2)
    application, people = app
    reader = Reader(application, people["all"])
    await reader.task
    assert not reader.whole
    (line,) = await lines_of(application, people["all"])
    assert (line["state"], line["ended"] is None) == (state, False)
    pool = application.state.context._pool
    assert pool.get_idle_size() == pool.get_size()


async def test_an_export_ends_when_what_it_was_begun_with_is_revoked(app, database_url):
    application, people = app
    reader = Reader(application, people["all"])
    await reader.begun.wait()
    connection = await asyncpg.connect(database_url)
    await connection.execute("DELETE FROM credential WHERE fleets IS NULL")
    await application.state.visits.look(connection)
    await connection.close()
    await reader.task
    assert not reader.whole
