"""What the database itself shows to whom, whatever the server asks it."""

import asyncpg
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from deploy.local.page_login import give_login
from schemas.errors import UnavailableError
from serve import database
from serve.context import Context
from serve.metrics import ServeMetrics
from serve.people import Person, Role
from support import two_fleets
from support.two_fleets import OURS, THEIRS

READER = "robovitals_reader"
FROM_ALL = {
    "hourly_due": "what the roll-up keeps for itself",
    "audit_late": "what the roll-up tells the audit",
    "audit_state": "what the audit keeps for itself",
    "robot_credential": "what the command line keeps for itself",
    "report_link": "what the public routes and the command line keep for themselves",
    "late_window": "what the summariser keeps for itself",
    "repair_again": "what the repairer keeps for itself",
}
"""Relations with a robot that no person reads through the server, and why."""

PERSONAL = {"logbook_opened": "who owns and services a robot"}
"""Relations that a viewer sees nothing of, and why."""


def person(role: Role = Role.VIEWER, prefixes: tuple[str, ...] = ()) -> Person:
    return Person(name="somebody", role=role, fleets=None if prefixes == ("*",) else ("some",), prefixes=prefixes)


@pytest.fixture
async def owner(database_url):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def context(database_url):
    connection = await asyncpg.connect(database_url)
    await two_fleets.fill(connection)
    await connection.close()
    context = Context(database_url, ServeMetrics.create(CollectorRegistry()))
    await context.connect()
    yield context
    await context.close()


def relations_with_a_robot(database_url: str) -> dict[str, str]:
    """By name the kind: every table and view of ours that has a column robot_id."""
    with psycopg.connect(database_url) as connection:
        return dict(
            connection.execute(
                "SELECT relname, relkind::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
                " WHERE relnamespace = 'public'::regnamespace AND attname = 'robot_id'"
                " AND relkind IN ('r', 'v', 'p') ORDER BY relname"
            ).fetchall()
        )


async def test_every_relation_with_a_robot_shows_each_person_their_own_robots_or_nothing_at_all(
    context, database_url
):
    relations = relations_with_a_robot(database_url)
    assert {"frame", "vitals", "robot_state", "reading", "episode"} <= relations.keys()
    for relation in relations:
        role = Role.OPERATOR if relation in PERSONAL else Role.VIEWER
        async with context.reading(person(role, prefixes=("ZZOURS",))) as connection:
            if relation in FROM_ALL:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch(f"SELECT FROM {relation}")
                continue
            found = {row["robot_id"] for row in await connection.fetch(f"SELECT robot_id FROM {relation}")}
            assert found <= {OURS}, f"{relation}: CALL show_by_robot('{relation}') in its migration"
        async with context.reading(person(role, prefixes=("*",))) as connection:
            all_found = {row["robot_id"] for row in await connection.fetch(f"SELECT robot_id FROM {relation}")}
            assert all_found == {OURS, THEIRS}, f"support/two_fleets.py fills {relation} for both robots"
        assert found == {OURS}, relation


async def test_what_is_personal_is_not_for_viewers(context):
    for relation in PERSONAL:
        async with context.reading(person(prefixes=("*",))) as connection:
            assert await connection.fetchval(f"SELECT count(*) FROM {relation}") == 0


async def test_whoever_has_no_fleet_or_an_empty_one_sees_nothing(context):
    for prefixes in ((), ("",)):
        async with context.reading(person(prefixes=prefixes)) as connection:
            assert await connection.fetchval("SELECT count(*) FROM robot") == 0
            assert await connection.fetchval("SELECT count(*) FROM frame") == 0


async def test_a_question_that_forgot_who_asks_sees_nothing(context):
    async with context.own() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {READER}")
        assert await connection.fetchval("SELECT count(*) FROM robot") == 0
        assert await connection.fetchval("SELECT count(*) FROM visible.vitals") == 0


async def test_an_episode_of_many_robots_is_seen_by_who_sees_every_robot(context, owner):
    await owner.execute("UPDATE episode SET parent = 'of-many' WHERE robot_id = $1", OURS)
    await two_fleets.add_robot(owner, "fleet", "of many")
    await owner.execute("UPDATE episode SET episode_id = 'of-many' WHERE robot_id = 'fleet'")
    async with context.reading(person(prefixes=("*",))) as connection:
        listed = await database.alarms(connection, with_muted=False)
        assert {alarm.robot_id for alarm in listed} == {"fleet", THEIRS}
        assert (await database.alarm_counts(connection))["muted"] == 1
    async with context.reading(person(prefixes=("ZZOURS",))) as connection:
        listed = await database.alarms(connection, with_muted=False)
        assert [alarm.robot_id for alarm in listed] == [OURS]  # what would speak for it is not there for them
        assert "muted" not in await database.alarm_counts(connection)


async def test_the_chunks_of_a_hypertable_are_closed_too(context):
    async with context.own() as connection:
        chunk = await connection.fetchval("SELECT show_chunks('frame')::text")
    async with context.reading(person(prefixes=("*",))) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT FROM {chunk}")


async def test_tries_to_tell_of_a_robot_are_seen_by_who_may_see_the_robot(context):
    for prefixes, expected in ((("ZZOURS",), {OURS}), (("*",), {OURS, THEIRS}), ((), set())):
        async with context.reading(person(prefixes=prefixes)) as connection:
            rows = await connection.fetch("SELECT delivery, answer FROM delivery_attempt")
            assert {(row["delivery"], row["answer"]) for row in rows} == {
                (two_fleets.DELIVERY[code], two_fleets.mark_of(code)) for code in expected
            }


@pytest.mark.parametrize("table", ["credential", "fleet_robots", "reject", "public.frame"])
async def test_what_is_no_robots_is_closed(context, table):
    async with context.reading(person(prefixes=("*",))) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT FROM {table}")


async def test_nothing_can_be_written(context):
    async with context.reading(person(prefixes=("*",))) as connection:
        with pytest.raises((asyncpg.ReadOnlySQLTransactionError, asyncpg.InsufficientPrivilegeError)):
            await connection.execute("DELETE FROM episode")
    async with context.reading(person(prefixes=("*",))) as connection:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("CREATE TABLE one (one integer)")


def test_what_is_visible_has_all_of_its_tables_columns(database_url):
    with psycopg.connect(database_url) as connection:
        columns = (
            "SELECT attname FROM pg_attribute WHERE attrelid = {}::regclass AND attnum > 0 AND NOT attisdropped"
            " ORDER BY attname"
        )
        shown = [
            name for (name,) in connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'visible'::regnamespace"
            )
        ]  # fmt: skip
        assert "frame" in shown
        for name in shown:
            own, visible = (
                connection.execute(columns.format(f"'{schema}.{name}'")).fetchall()
                for schema in ("public", "visible")
            )
            assert own == visible, f"make visible.{name} anew in the migration that adds the column"


async def test_the_newest_frame_of_a_robot_is_found_by_the_index_through_the_wall(context):
    async with context.reading(person(prefixes=("ZZOURS",))) as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(
            row[0] for row in await connection.fetch(
                f"EXPLAIN SELECT time FROM frame WHERE robot_id = '{OURS}' AND time <= now()"
                " ORDER BY time DESC LIMIT 1"
            )
        )  # fmt: skip
    assert "Sort" not in plan, plan
    assert "frame_key" in plan


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM frame",
        "INSERT INTO frame SELECT * FROM frame",
        "UPDATE episode SET state = 'normal'",
        "DELETE FROM delivery",
        "INSERT INTO robot_credential (robot_id, key_version, created_by) VALUES ('x', 1, '')",
        "INSERT INTO seal_policy VALUES ('*', now(), 'off', '')",
        "UPDATE landed SET next_offset = 0",
        "UPDATE reject SET value = ''",
        "DELETE FROM reject",
        "UPDATE seal_master SET fingerprint = fingerprint",
        "DROP TABLE frame",
        "DROP TABLE credential",
        "TRUNCATE credential",
        "ALTER TABLE reject ADD COLUMN mine text",
        "CREATE TABLE mine (id int)",
        "CREATE ROLE mine",
        "SELECT pg_read_file('PG_VERSION')",
    ],
)
async def test_the_server_itself_may_neither_write_what_was_measured_nor_change_what_it_is_kept_in(
    context, statement
):
    async with context.own() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


async def test_a_login_for_the_page_alone_cannot_become_more_than_the_server_is(database_url, owner):
    await two_fleets.fill(owner)
    url = give_login(database_url)
    assert give_login(database_url) != url, "each start has a new password"
    with pytest.raises(UnavailableError):
        await Context(url, ServeMetrics.create(CollectorRegistry())).connect()
    context = Context(give_login(database_url), ServeMetrics.create(CollectorRegistry()))
    await context.connect()
    async with context.reading(person(prefixes=("ZZOURS",))) as connection:
        assert await connection.fetchval("SELECT array_agg(robot_id) FROM robot") == [OURS]
    async with context.own() as connection:
        await connection.execute("RESET ROLE")
        await connection.execute("SET ROLE NONE")
        for statement in ("DELETE FROM frame", "SET ROLE robovitals", "DROP TABLE frame"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    await context.close()
