"""Every route of the server × everybody who may knock at it. A route without a rule fails by itself."""

import asyncpg
import msgspec
import pytest
from starlette.routing import Mount

from serve import credentials
from serve.people import Role
from support import two_fleets
from support.asgi import ask
from support.routes import BODIES, OF_EVERY_ROBOT, OTHERS, PUBLIC, PUBLIC_MOUNTS, ROUTES, target
from support.two_fleets import DELIVERY, FOR_A_DAY, OURS, THEIRS, mark_of, token

ASKED = pytest.mark.parametrize(
    ("method", "path", "rule"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES]
)


@pytest.fixture
async def world(database_url):
    """The application, and by who they are the headers that each sends."""
    connection = await asyncpg.connect(database_url)
    await two_fleets.fill(connection)
    await connection.execute("INSERT INTO reject VALUES ('t', 0, 0, now(), 'r', 'd', NULL, 'bytes')")
    people = {
        "nobody": {},
        "unknown token": {"authorization": "Bearer rv_unknown"},
        "session as a token": {"authorization": f"Bearer {await _session(connection)}"},
        "viewer": await token(connection, Role.VIEWER),
        "viewer of ours": await token(connection, Role.VIEWER, ["ours"]),
        "viewer of theirs": await token(connection, Role.VIEWER, ["theirs"]),
        "operator": await token(connection, Role.OPERATOR),
        "operator of theirs": await token(connection, Role.OPERATOR, ["theirs"]),
        "admin": await token(connection, Role.ADMIN),
        "session": {"cookie": f"robovitals_8080={await _session(connection)}", "origin": "http://127.0.0.1:8080"},
        "foreign page": {"cookie": f"robovitals_8080={await _session(connection)}", "origin": "http://evil.test"},
        "expired": await token(connection, Role.ADMIN),
    }
    await connection.execute("UPDATE credential SET expires = now() - interval '1 s' WHERE id IN"
                             " (SELECT max(id) FROM credential)")  # fmt: skip
    revoked = await credentials.give(connection, "token", "revoked", Role.ADMIN, None, FOR_A_DAY)
    await credentials.revoke(connection, "revoked", None)
    people["revoked"] = {"authorization": f"Bearer {revoked}"}
    await connection.close()
    async with two_fleets.application(database_url) as app:
        yield app, people


async def _session(connection: asyncpg.Connection) -> str:
    link = await credentials.give(connection, "link", "person", Role.ADMIN, None, FOR_A_DAY)
    found = await credentials.log_in(connection, link)
    assert found is not None
    return found[1]


NOBODIES = ("nobody", "unknown token", "session as a token", "expired", "revoked")
ROLES = {
    "viewer": Role.VIEWER, "viewer of ours": Role.VIEWER, "viewer of theirs": Role.VIEWER,
    "operator": Role.OPERATOR, "operator of theirs": Role.OPERATOR, "admin": Role.ADMIN, "session": Role.ADMIN,
}  # fmt: skip

PARTIAL = ("viewer of ours", "viewer of theirs", "operator of theirs")
"""Who does not see every robot."""


def test_every_route_has_a_rule():
    for method, path, rule in ROUTES:
        assert rule in {PUBLIC, *Role}, f"{method} {path}: say who may, as serve/contract.py does"
    assert [route.path if isinstance(route, Mount) else route for route in OTHERS] == PUBLIC_MOUNTS
    assert ("GET", "/api/v1/me", "viewer") in ROUTES


@ASKED
async def test_who_may_is_answered_and_who_may_not_is_refused(world, method, path, rule):
    app, people = world
    for who in NOBODIES:
        status = (await ask(app, method, target(path), people[who])).status
        assert (status == 401) == (rule != PUBLIC), (who, status)
    for who, role in ROLES.items():
        status = (await ask(app, method, target(path), people[who])).status
        if rule == PUBLIC:
            assert status != 403, (who, status)
        elif role.may(Role(rule)) and not (who in PARTIAL and (method, path) in OF_EVERY_ROBOT):
            assert status not in (401, 403), (who, status)
        else:
            assert status == 403, (who, status)
    status = (await ask(app, method, target(path), people["foreign page"])).status
    assert (status == 403) == (method not in ("GET", "HEAD")), status


@ASKED
async def test_what_a_route_tells_is_of_the_askers_fleets_only(world, method, path, rule):
    """Of what is asked for by its name the answer is the same as if it were not there."""
    app, people = world
    if rule not in set(Role) or method != "GET":
        return
    who = "viewer of {}" if rule == Role.VIEWER else "operator of {}"
    answer = await ask(app, method, target(path), people[who.format("theirs")])
    named = target(path) != target(path).replace(OURS, "")
    assert mark_of(OURS) not in answer.text, answer.text
    assert named or OURS not in answer.text, answer.text
    if rule == Role.VIEWER:
        own = await ask(app, method, target(path), people["viewer of ours"])
        assert own.status == 200, own.text
        assert mark_of(THEIRS) not in own.text
        assert THEIRS not in own.text


@ASKED
async def test_what_a_route_changes_is_of_the_askers_fleets_only(world, database_url, method, path, rule):
    """A body that names what is ours does nothing there when an operator of theirs sends it."""
    app, people = world
    if rule == PUBLIC or method == "GET":
        return
    before = await _rows_of_ours(database_url)
    await ask(app, method, target(path), people["operator of theirs"], BODIES.get(path, b""))
    assert await _rows_of_ours(database_url) == before


async def test_a_delivery_is_sent_again_for_who_sees_all_that_went_in_its_message(world, database_url):
    app, people = world
    body = b'{"ids": [%d, %d, 77]}' % (DELIVERY[OURS], DELIVERY[THEIRS])

    async def replayed(who: str) -> dict[str, int]:
        answer = await ask(app, "POST", "/api/v1/deliveries/replay", people[who], body)
        return msgspec.json.decode(answer.body)

    assert await replayed("operator of theirs") == {"queued": 1, "unknown": 2}
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE delivery SET state = 'failed', message_id = 'together'")
    assert await replayed("operator of theirs") == {"queued": 0, "unknown": 3}
    assert await replayed("operator") == {"queued": 2, "unknown": 1}
    await connection.close()


async def test_the_log_of_deliveries_goes_on_page_by_page_however_much_others_were_told(world, database_url):
    app, people = world
    connection = await asyncpg.connect(database_url)
    await connection.execute("ALTER TABLE delivery ALTER COLUMN id RESTART WITH 2000")
    await connection.execute(
        "INSERT INTO delivery (delivery_id, receiver, route, bundle, event_id, episode_id, robot_id, transition,"
        " status, event, created, ready, due, state) SELECT n, 'pager', 'all', '', n, n, $1, 'opened', 'FAILURE',"
        " '', now(), now(), now(), 'delivered' FROM generate_series(1, 1200) AS n", THEIRS
    )  # fmt: skip
    await connection.close()

    async def listed(who: str, query: str = "") -> list[int]:
        answer = await ask(app, "GET", f"/api/v1/deliveries?count=500{query}", people[who])
        return [line["id"] for line in msgspec.json.decode(answer.body)]

    assert await listed("viewer of ours") == [DELIVERY[OURS]]
    pages = [await listed("viewer of theirs")]
    while pages[-1]:
        pages.append(await listed("viewer of theirs", f"&before={pages[-1][-1]}"))
    assert [len(page) for page in pages] == [500, 500, 201, 0]
    ids = [id for page in pages for id in page]
    assert ids == sorted(set(ids), reverse=True)
    assert ids[-1] == DELIVERY[THEIRS]


async def test_receivers_count_what_the_asker_may_see(world):
    app, people = world
    for who, failed in (("viewer", 2), ("viewer of ours", 1)):
        (pager,) = msgspec.json.decode((await ask(app, "GET", "/api/v1/receivers", people[who])).body)
        assert (pager["name"], pager["failed"]) == ("pager", failed)


async def test_of_the_pipeline_who_sees_a_fleet_learns_what_concerns_its_robots(world, database_url):
    app, people = world
    connection = await asyncpg.connect(database_url)
    for offset, (key, reason) in enumerate(
        [(OURS, "late"), (THEIRS, "broken"), (THEIRS, "broken"), (None, "nameless"), ("\\", "odd")], start=1
    ):
        await connection.execute(
            "INSERT INTO reject VALUES ('t', 0, $1, now(), $2, 'd', convert_to($3, 'UTF8'), 'bytes')",
            offset, reason, key,
        )  # fmt: skip
    await connection.execute(
        "INSERT INTO late_window VALUES ($1, now(), 1, 0, 0, 'late'), ($2, now(), 1, 0, 0, 'resent')", OURS, THEIRS
    )
    await connection.close()

    async def told(who: str) -> tuple[dict[str, int], list[str], int | None]:
        page = msgspec.json.decode((await ask(app, "GET", "/api/v1/pipeline", people[who])).body)
        late = [window["reason"] for window in page["late"]]
        return {one["reason"]: one["records"] for one in page["rejects"]}, late, page["report"]["landed"]

    assert await told("viewer of ours") == ({"late": 1}, ["late"], None)
    assert await told("operator of theirs") == ({"broken": 2}, ["resent"], None)
    rejects, late, landed = await told("viewer")
    assert (rejects, sorted(late), landed) == (
        {"r": 1, "late": 1, "broken": 2, "nameless": 1, "odd": 1}, ["late", "resent"], 0,
    )  # fmt: skip
    page = await ask(app, "GET", "/pipeline", people["viewer of ours"] | {"accept": "text/html"})
    assert page.status == 200
    assert "broken" not in page.text


async def _rows_of_ours(database_url: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url)
    rows = [
        row
        for table in ("delivery", "episode", "action", "robot")
        for row in await connection.fetch(f"SELECT * FROM {table} WHERE robot_id = $1", OURS)
    ]
    receivers = await connection.fetch("SELECT * FROM receiver")
    await connection.close()
    return rows + receivers


async def test_what_is_ones_own_is_shown(world):
    app, people = world
    for path in (f"/api/v1/robots/{OURS}", "/api/v1/alarms"):
        assert mark_of(OURS) in (await ask(app, "GET", path, people["viewer of ours"])).text
    assert (await ask(app, "GET", f"/api/v1/robots/{OURS}", people["viewer of theirs"])).status == 404


async def test_an_unknown_path_and_a_wrong_method_tell_nothing(world):
    app, people = world
    for who in ("nobody", "admin"):
        assert (await ask(app, "GET", "/api/v1/nothing", people[who])).status == 404
        assert (await ask(app, "DELETE", "/api/v1/alarms", people[who])).status == 405
