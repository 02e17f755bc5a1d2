"""Coming in and being shut out: links, sessions, tokens, proxies, and what no answer and no log tells."""

import json
import logging
from datetime import timedelta
from ipaddress import ip_network

import asyncpg
import pytest
from fastapi import FastAPI
from prometheus_client import generate_latest

from serve import credentials
from serve.around import HEADERS
from serve.people import Role
from serve.throttle import MOST
from serve.trust import Grant, Trust
from support import two_fleets
from support.asgi import Answer, ask
from support.two_fleets import FOR_A_DAY, OURS, THEIRS

ME = "/api/v1/me"
PAGE = "http://127.0.0.1:8080"
PROXY = Trust(
    proxies=(ip_network("10.0.3.0/24"),),
    secret="what only the proxy knows",
    user_header="x-forwarded-user",
    groups_header="x-forwarded-groups",
    groups={"berlin": Grant(Role.OPERATOR, ("ours",))},
    hosts=("robots.example",),
)
BY_PROXY = {
    "x-robovitals-proxy-secret": "what only the proxy knows",
    "x-forwarded-user": "mei",
    "x-forwarded-groups": "berlin",
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-proto": "https",
}


@pytest.fixture
async def connection(database_url):
    connection = await asyncpg.connect(database_url)
    await two_fleets.fill(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def app(database_url, connection):
    async with two_fleets.application(database_url) as app:
        yield app


async def link(connection: asyncpg.Connection, role: Role = Role.OPERATOR) -> str:
    return f"/login?link={await credentials.give(connection, 'link', 'mei', role, None, FOR_A_DAY)}"


async def session(app: FastAPI, connection: asyncpg.Connection) -> dict[str, str]:
    """A browser's headers after it has logged in."""
    answer = await ask(app, "GET", await link(connection))
    return {"cookie": answer.header("set-cookie").partition(";")[0], "origin": PAGE}


async def test_a_link_logs_in_once(app, connection):
    target = await link(connection)
    answer = await ask(app, "GET", target)
    assert (answer.status, answer.header("location")) == (303, "/")
    cookie = answer.header("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # the page of one's own machine has no TLS
    me = await ask(app, "GET", ME, {"cookie": cookie.partition(";")[0]})
    assert json.loads(me.text)["name"] == "mei"
    assert (await ask(app, "GET", target)).status == 401
    again = await ask(app, "GET", target, {"cookie": cookie.partition(";")[0]})
    assert (again.status, again.header("location")) == (303, "/")


async def test_a_link_whose_time_is_over_logs_nobody_in(app, connection):
    target = await link(connection)
    await connection.execute("UPDATE credential SET expires = now()")
    assert (await ask(app, "GET", target)).status == 401


async def test_logging_out_ends_the_session(app, connection):
    browser = await session(app, connection)
    assert (await ask(app, "POST", "/logout", {**browser, "origin": "http://evil.test"})).status == 403
    answer = await ask(app, "POST", "/logout", browser)
    assert answer.status == 204
    assert 'robovitals_8080=""' in answer.header("set-cookie")
    assert (await ask(app, "GET", ME, browser)).status == 401


async def test_a_session_that_is_used_lives_on_but_not_for_ever(app, connection):
    browser = await session(app, connection)
    left = "SELECT expires - now() FROM credential WHERE kind = 'session'"
    await connection.execute("UPDATE credential SET expires = now() + interval '1 h', used = NULL")
    assert (await ask(app, "GET", ME, browser)).status == 200
    assert await connection.fetchval(left) > timedelta(hours=11)
    await connection.execute("UPDATE credential SET created = now() - interval '7 days', used = NULL")
    await connection.execute("UPDATE credential SET expires = now() + interval '1 h'")
    assert (await ask(app, "GET", ME, browser)).status == 200
    assert await connection.fetchval(left) < timedelta(hours=1)


async def test_a_session_that_has_ended_is_taken_out_of_the_browser(app, connection):
    browser = await session(app, connection)
    await connection.execute("UPDATE credential SET expires = now()")
    answer = await ask(app, "GET", ME, browser)
    assert answer.status == 401
    assert "Max-Age=0" in answer.header("set-cookie")


async def test_use_does_not_lengthen_a_token(app, connection):
    program = await two_fleets.token(connection, Role.VIEWER)
    before = await connection.fetchval("SELECT expires FROM credential")
    assert (await ask(app, "GET", ME, program)).status == 200
    assert await connection.fetchrow("SELECT expires, used IS NOT NULL FROM credential") == (before, True)


async def test_what_is_revoked_opens_nothing_from_then_on(app, connection):
    browser, program = await session(app, connection), await two_fleets.token(connection, Role.VIEWER)
    assert [c.kind for c in await credentials.revoke(connection, "mei", None)] == ["session"]
    assert (await ask(app, "GET", ME, browser)).status == 401
    assert (await ask(app, "GET", ME, program)).status == 200


async def test_a_fleet_that_changes_changes_what_is_seen_at_once(app, connection):
    program = await two_fleets.token(connection, Role.VIEWER, ["ours"])
    assert (await ask(app, "GET", f"/api/v1/robots/{THEIRS}", program)).status == 404
    await credentials.add_to_fleet(connection, "ours", [THEIRS])
    assert (await ask(app, "GET", f"/api/v1/robots/{THEIRS}", program)).status == 200
    await credentials.remove_from_fleet(connection, "ours", [])
    assert (await ask(app, "GET", f"/api/v1/robots/{OURS}", program)).status == 404


async def test_who_tries_many_secrets_must_wait_and_others_need_not(app, connection):
    for number in range(MOST):
        assert (await ask(app, "GET", ME, {"authorization": f"Bearer rv_{number}"})).status == 401
    program = await two_fleets.token(connection, Role.VIEWER)
    answer = await ask(app, "GET", ME, program)
    assert answer.status == 429
    assert int(answer.header("retry-after")) >= 1
    assert (await ask(app, "GET", await link(connection))).status == 429
    assert (await ask(app, "GET", ME, program, peer="192.0.2.7")).status == 200


async def test_foreign_names_of_the_host_are_refused(app, connection):
    program = await two_fleets.token(connection, Role.VIEWER)
    for host in ("evil.test", "evil.test:8080", "192.0.2.1", ""):
        assert (await ask(app, "GET", ME, program, host=host)).status == 421
    for host in ("localhost:8080", "[::1]:8080"):
        assert (await ask(app, "GET", ME, program, host=host)).status == 200


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-length": "100000"}, b"", 413),
        ({"content-length": "-1"}, b"", 413),
        ({"x-large": "x" * 20_000}, b"", 431),
    ],
)
async def test_what_is_too_long_is_refused(app, headers, body, status):
    assert (await ask(app, "POST", "/logout", headers, body)).status == status


async def test_whom_the_proxy_has_logged_in_is_in(database_url, connection):
    async with two_fleets.application(database_url, PROXY) as app:
        answer = await ask(app, "GET", ME, BY_PROXY, peer="10.0.3.7", host="robots.example")
        assert json.loads(answer.text) | {"statuses": []} == {
            "name": "mei", "role": "operator", "fleets": ["ours"], "statuses": [],
        }  # fmt: skip
        seen = await ask(app, "GET", "/api/v1/alarms", BY_PROXY, peer="10.0.3.7", host="robots.example")
        assert OURS in seen.text
        assert THEIRS not in seen.text


@pytest.mark.parametrize(
    ("changed", "peer", "status"),
    [
        ({}, "10.0.4.7", 401),
        ({"x-robovitals-proxy-secret": "a guess"}, "10.0.3.7", 401),
        ({"x-forwarded-user": ""}, "10.0.3.7", 401),
        ({"x-forwarded-groups": "strangers"}, "10.0.3.7", 403),
    ],
)
async def test_whom_no_trusted_proxy_names_is_not(database_url, connection, changed, peer, status):
    async with two_fleets.application(database_url, PROXY) as app:
        answer = await ask(app, "GET", ME, {**BY_PROXY, **changed}, peer=peer, host="robots.example")
        assert answer.status == status


async def test_behind_a_proxy_with_tls_a_session_is_secure_and_changes_come_from_its_page(database_url, connection):
    async with two_fleets.application(database_url, PROXY) as app:
        forwarded = {name: BY_PROXY[name] for name in ("x-robovitals-proxy-secret", "x-forwarded-proto")}
        answer = await ask(app, "GET", await link(connection), forwarded, peer="10.0.3.7", host="robots.example")
        cookie = answer.header("set-cookie")
        assert cookie.startswith("__Host-robovitals=rv_")
        assert "Secure" in cookie
        browser = {**forwarded, "cookie": cookie.partition(";")[0]}
        for origin, status in (("http://robots.example", 403), ("https://robots.example", 204)):
            out = await ask(
                app, "POST", "/logout", {**browser, "origin": origin}, peer="10.0.3.7", host="robots.example"
            )
            assert out.status == status


async def test_every_answer_carries_the_headers_errors_and_files_too(app, connection, monkeypatch):
    admin = await two_fleets.token(connection, Role.ADMIN)
    answers = [
        await ask(app, "GET", ME, admin),
        await ask(app, "GET", ME),
        await ask(app, "GET", "/nothing"),
        await ask(app, "GET", "/static/page.css"),
        await ask(app, "GET", "/static/../app.py"),
        await ask(app, "GET", "/api/v1/robots/x", admin),
        await ask(app, "GET", "/login"),
        await ask(app, "GET", ME, host="evil.test"),
        await broken(app, admin, monkeypatch),
    ]
    assert [answer.status for answer in answers] == [200, 401, 404, 200, 404, 422, 200, 421, 500]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.header(name.lower()) == value, (answer, name)


async def broken(app: FastAPI, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Answer:
    """An answer to what breaks in the server."""
    monkeypatch.setattr("serve.database.alarms", lambda *arguments: 1 / 0)
    return await ask(app, "GET", "/api/v1/alarms", admin)


async def test_no_secret_is_in_a_log_an_error_or_a_metric(app, connection, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    secrets: list[str] = []
    answers: list[Answer] = []
    target = await link(connection)
    secrets.append(target.partition("=")[2])
    answers.append(await ask(app, "GET", target))
    secrets.append(answers[-1].header("set-cookie").partition("=")[2].partition(";")[0])
    cookie = f"robovitals_8080={secrets[-1]}"
    program = await two_fleets.token(connection, Role.ADMIN)
    secrets.append(program["authorization"].split()[1])
    for headers in (program, {"cookie": cookie}, {"authorization": f"Bearer {secrets[0]}"}):
        for path in (ME, "/api/v1/robots/x", "/nothing", target):
            answers.append(await ask(app, "GET", path, headers))  # noqa: PERF401
    answers.append(await broken(app, program, monkeypatch))
    metrics = generate_latest(app.state.registry).decode()
    assert 'robovitals_serve_refused_total{reason="unknown"}' in metrics
    told = [answer.text for answer in answers] + [caplog.text, metrics]
    kept = str(await connection.fetch("SELECT * FROM credential"))
    assert "mei logged in from 127.0.0.1" in caplog.text
    for secret in secrets:
        assert not [text for text in [*told, kept] if secret in text]
