"""Whoever is being answered for long is answered no longer than they may be; streams, and so many a person."""

import asyncio
from contextlib import ExitStack

import asyncpg
import pytest
from fastapi import Request

from serve import credentials
from serve.people import Person, Role, person_of
from serve.routes.stream import MOST_A_PERSON, STREAM, _events
from serve.visits import OTHER_FLEETS, REVOKED, Visits
from support import two_fleets
from support.asgi import ask
from support.two_fleets import FOR_A_DAY


@pytest.fixture
async def connection(database_url):
    connection = await asyncpg.connect(database_url)
    await two_fleets.fill(connection)
    yield connection
    await connection.close()


async def holder(connection: asyncpg.Connection, name: str, fleets: list[str] | None = None) -> Person:
    secret = await credentials.give(connection, "token", name, Role.VIEWER, fleets, FOR_A_DAY)
    person = await person_of(connection, "token", secret)
    assert person is not None
    return person


async def test_a_visit_ends_when_its_token_is_revoked_or_has_expired(connection):
    visits = Visits()
    people = [await holder(connection, name) for name in ("stays", "goes", "expires")]
    with ExitStack() as stack:
        stays, goes, expires = (stack.enter_context(visits.enter(person, STREAM)) for person in people)
        await visits.look(connection)
        assert (stays.over, goes.over, expires.over) == ("", "", "")
        await credentials.revoke(connection, "goes", None)
        await connection.execute("UPDATE credential SET expires = now() WHERE name = 'expires'")
        await visits.look(connection)
        assert (stays.over, goes.over, expires.over) == ("", REVOKED, REVOKED)


async def test_a_visit_ends_when_its_fleets_get_other_robots(connection):
    visits = Visits()
    with (
        visits.enter(await holder(connection, "one", ["ours"]), STREAM) as ours,
        visits.enter(await holder(connection, "other", ["theirs"]), STREAM) as theirs,
    ):
        await visits.look(connection)
        assert (ours.over, theirs.over) == ("", "")
        await credentials.add_to_fleet(connection, "ours", ["ZZMORE"])
        await visits.look(connection)
        assert (ours.over, theirs.over) == (OTHER_FLEETS, "")


async def test_whom_a_proxy_has_logged_in_has_nothing_to_revoke(connection):
    visits = Visits()
    by_proxy = Person(name="mei", role=Role.VIEWER, fleets=None, prefixes=("*",))
    with visits.enter(by_proxy, STREAM) as visit:
        await visits.look(connection)
        assert visit.over == ""


async def test_a_stream_ends_by_itself_when_its_token_is_revoked(connection, database_url):
    async with two_fleets.application(database_url) as app:
        person = await holder(connection, "listens")
        visits: Visits = app.state.visits
        scope = {"type": "http", "app": app, "headers": [], "method": "GET", "path": "/", "query_string": b""}
        events = _events(Request(scope), visits, person, "")
        assert b"retry" in await anext(events)
        await credentials.revoke(connection, "listens", None)
        await visits.look(connection)
        async with asyncio.timeout(60):
            assert b"hello" in b"".join([event async for event in events])


async def test_a_person_has_only_so_many_streams(connection, database_url):
    async with two_fleets.application(database_url) as app:
        program = await two_fleets.token(connection, Role.VIEWER)
        me = Person(name="program", role=Role.VIEWER, fleets=None, prefixes=("*",))
        with ExitStack() as stack:
            for _ in range(MOST_A_PERSON):
                stack.enter_context(app.state.visits.enter(me, STREAM))
            answer = await ask(app, "GET", "/api/v1/stream", program)
            assert (answer.status, answer.header("retry-after")) == (429, "30")
        assert (await ask(app, "GET", "/api/v1/stream", program)).status == 200
