"""Files that people take away, over the API: of their own robots, whole, and only so many at once."""

import io

import asyncpg
import pyarrow.parquet as pq
import pytest

from serve.people import Role
from serve.routes.export import AT_ONCE
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


async def test_only_so_many_are_taken_away_at_once(app):
    application, people = app
    application.state.context.exports = AT_ONCE
    answer = await ask(application, "GET", "/api/v1/export/frames.csv", people["all"])
    assert (answer.status, answer.header("retry-after")) == (503, "10")
