"""What a robot can write comes out of every route as text, never as a page's code."""

import asyncpg
import msgspec
import pytest

from schemas.health import ComponentHealth, Evidence, Status, Zone
from serve.people import Role
from support import two_fleets
from support.asgi import ask
from support.routes import ROUTES, target
from support.two_fleets import OURS, THEIRS

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "</script><script>alert(1)</script>",
    "\u202egnp.exe\u2066",
    "\u0001\u001b[31m\u007f\u2028",
    "{{ 7*7 }}${7*7}",
    "=cmd|' /C calc'!A0",
)
AS_CODE = ("<script>alert(1)", "<img src=x", 'href="javascript:', "{{ 7*7 }}49", "\u0001", "\u202e", "\x7f")


@pytest.fixture
async def app(database_url):
    connection = await asyncpg.connect(database_url)
    text = " ".join(HOSTILE)
    for code in (OURS, THEIRS):
        await two_fleets.add_robot(connection, code, text)
    evidence = Evidence(rule=text, signal=text, value=1, unit=text, limit=1, since_us=1, text=text)
    component = ComponentHealth(component=text, status=Status.FAILURE, zone=Zone.D, evidence=[evidence])
    components = msgspec.json.encode([component]).decode()
    await connection.execute("UPDATE health SET components = $1::text::jsonb", components)
    await connection.execute("UPDATE episode SET component = $1, rule = $1, signal = $1", text)
    await connection.execute(
        "INSERT INTO reject VALUES ('telemetry.frames', 0, 0, now(), 'decode', $1, $2, $2)", text, text.encode()
    )
    admin = await two_fleets.token(connection, Role.ADMIN)
    await connection.close()
    async with two_fleets.application(database_url) as app:
        yield app, admin


@pytest.mark.parametrize("path", [path for method, path, _ in ROUTES if method == "GET"])
async def test_hostile_texts_are_text(app, path):
    application, admin = app
    answer = await ask(application, "GET", target(path), admin)
    kind = answer.header("content-type").partition(";")[0]
    assert answer.header("x-content-type-options") == "nosniff"
    policy = answer.header("content-security-policy")
    assert "script-src 'self'" in policy or (policy.startswith("default-src 'none'") and "script-src" not in policy)
    assert answer.status < 500, answer.text
    if kind == "text/html":
        assert not [code for code in AS_CODE if code in answer.text]
    elif kind in ("application/json", "application/problem+json"):
        msgspec.json.decode(answer.body)
        assert "\u0001" not in answer.text
    else:
        assert kind in ("text/event-stream", "text/plain", "text/csv", "application/jsonl", ""), kind


async def test_a_text_comes_out_as_it_went_in(app):
    application, admin = app
    answer = await ask(application, "GET", f"/api/v1/robots/{OURS}", admin)
    assert msgspec.json.decode(answer.body)["state"]["software"] == " ".join(HOSTILE)


async def test_a_hostile_parameter_is_told_as_text(app):
    application, admin = app
    for hostile in ("%3Cscript%3Ealert(1)%3C/script%3E", "%00", "%0d%0aset-cookie:%20a=b"):
        for path in (f"/api/v1/robots/{hostile}", f"/api/v1/alarms?robot={hostile}", f"/login?link={hostile}"):
            answer = await ask(application, "GET", path, admin)
            assert answer.status in (401, 404, 422), answer.text
            kind = answer.header("content-type").partition(";")[0]
            assert kind in ("application/problem+json", "text/plain") or (
                path.startswith("/login") and kind == "text/html"
            )
            assert kind != "text/html" or "alert(1)" not in answer.text
            assert not answer.header("set-cookie")
