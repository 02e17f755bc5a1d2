"""The API and the page of a logbook: authors sign by themselves, the platform appends, people read."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from deploy.platform_key import read_public_keys
from schemas.entry import Submission, encode_submission
from schemas.kafka import Kafka
from schemas.logbook import Inspection, KeyRegistered, MaintenanceDone, Role, conceal
from schemas.signing import public_key
from serve import credentials
from serve.people import Role as Person
from support.logbooks import MAKER, REGISTERED, ROBOT, WORKSHOP, Writer
from support.serving import Serving, serving
from support.visit import visit
from support.writing import Desk, desk

PATH = f"/robots/{ROBOT}/logbook"
EXAMPLE = Path(__file__).parents[2] / "examples/workshop.py"


@pytest.fixture
async def at(tmp_path: Path, topics: Kafka, database_url: str) -> AsyncIterator[tuple[Desk, Serving]]:
    """A robot with two authors, and the server."""
    with desk(tmp_path, topics, database_url) as writing:
        for name, key, role in (("ACME", MAKER, Role.MAKER), ("Graz <b>", WORKSHOP, Role.WORKSHOP)):
            public = ("--public", public_key(key), "--robot", ROBOT)
            assert writing.said("logbook", "author", name, "--role", role.value, *public)[0] == 0
        platforms = read_public_keys(tmp_path / "platform.keys")
        async with serving(topics, database_url, tmp_path, platforms) as server:
            yield writing, server


def signed(what: object, by: object = MAKER, *opened: object, robot_id: str = ROBOT) -> bytes:
    writer = Writer(robot_id)
    writer._signed = time.time_ns()
    writer.now_us = time.time_ns() // 1000
    return encode_submission(Submission(signed=writer.sign(what, by), opened=tuple(opened)))


async def test_an_author_appends_what_he_has_signed_and_everybody_who_may_reads_it(
    at: tuple[Desk, Serving], database: asyncpg.Connection
):
    server = at[1]
    name = conceal("Bob")
    done = MaintenanceDone(task="greased", component="joint/3", by=name.commitment)
    async with await server.client(Person.OPERATOR) as operator, await server.client(Person.VIEWER) as viewer:
        answer = await operator.post(PATH, content=signed(REGISTERED))
        assert (answer.status_code, answer.json()["number"]) == (200, 3), answer.text
        answer = await operator.post(PATH, content=(body := signed(done, WORKSHOP, name)))
        assert answer.json()["number"] == 4, answer.text
        again = await operator.post(PATH, content=body)
        assert (again.status_code, "repeated" in again.text) == (422, True)
        lines = (await operator.get(PATH)).json()
        assert [line["kind"] for line in lines] == ["key_registered"] * 2 + ["registered", "maintenance_done"]
        assert lines[3]["says"] == {"task": "greased", "component": "joint/3", "by": "Bob"}
        shown = (await viewer.get(PATH, params={"after": 3})).json()
        assert [line["says"]["by"] for line in shown] == ["(personal)"]
        assert (await viewer.post(PATH, content=body)).status_code == 403
    assert await database.fetchval("SELECT status FROM passport") == "active"


async def test_what_the_logbook_would_not_take_is_refused_at_once_and_never_sent(
    at: tuple[Desk, Serving], database: asyncpg.Connection
):
    server = at[1]
    await credentials.add_to_fleet(database, "others", ["QQ"])
    registers = KeyRegistered(key="ab" * 32, role=Role.MAKER, holder="x")
    async with await server.client(Person.OPERATOR) as operator:
        for body, why in (
            (signed(Inspection(passed=True, text="x")), "out_of_place"),
            (signed(registers), "wrong_role"),
            (signed(REGISTERED).replace(b"Test AG", b"Best AG"), "forged"),
            (signed(REGISTERED, robot_id=ROBOT[:-1] + "9"), "other_robot"),
            (signed(REGISTERED) + b"\n", "canonical"),
            (b"{}", "wrong_type"),
        ):
            answer = await operator.post(PATH, content=body)
            assert (answer.status_code, why in answer.text) == (422, True), answer.text
    async with await server.client(Person.OPERATOR, ["others"]) as stranger:
        assert (await stranger.post(PATH, content=signed(REGISTERED))).status_code == 404
        assert (await stranger.get(PATH)).json() == []
    assert await database.fetchval("SELECT count(*) FROM logbook_entry") == 2
    assert await database.fetchval("SELECT sum(next_offset) FROM landed WHERE topic = 'fleet.logbook'") == 2


async def test_without_a_lander_an_entry_is_on_its_way(at: tuple[Desk, Serving]):
    writing, server = at
    writing.running.kill("land")
    async with await server.client(Person.OPERATOR) as operator:
        answer = await operator.post(PATH, content=signed(REGISTERED), params={"wait_s": 0})
        assert (answer.status_code, answer.json()["number"]) == (200, None)


async def test_a_workshops_program_writes_by_itself(at: tuple[Desk, Serving]):
    writing, server = at
    async with await server.client(Person.OPERATOR) as operator:
        assert (await operator.post(PATH, content=signed(REGISTERED))).status_code == 200
    key = writing.home / "graz.key"
    key.write_text(WORKSHOP.private_bytes_raw().hex())
    token = await server.token(Person.OPERATOR)
    run = [sys.executable, str(EXAMPLE), "--url", server.url, "--token", token, "--key", str(key), "--robot", ROBOT,
           "--task", "greased", "--by", "Bob", "--component"]  # fmt: skip
    done = await asyncio.to_thread(subprocess.run, [*run, "joint/3"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "entry 4\n"), done.stderr
    wrong = await asyncio.to_thread(subprocess.run, [*run, "arm"], capture_output=True, text=True)
    assert (wrong.returncode, "wrong_type" in wrong.stderr) == (1, True)


async def test_the_page_shows_every_entry_and_whether_all_is_sound(
    at: tuple[Desk, Serving], database: asyncpg.Connection
):
    writing, server = at
    async with await server.client(Person.OPERATOR) as operator:
        await operator.post(PATH, content=signed(REGISTERED))
        await operator.post(
            PATH, content=signed(MaintenanceDone(task="<i>grease</i>", component="joint/3"), WORKSHOP)
        )
    assert writing.said("logbook", "checkpoint")[0] == 0
    async with visit(server, PATH) as page:
        await expect(page.locator("#integrity h2")).to_have_text("PROVEN")
        rows = page.locator("#entries tbody tr")
        await expect(rows).to_have_count(4)
        await expect(rows.first).to_contain_text("<i>grease</i>")
        await expect(rows.first).to_contain_text("Graz <b>")
        await expect(page.locator("dl.facts")).to_contain_text("active")
        found = await Axe().run(page)
        serious = [v["id"] for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
        assert serious == []
        await database.execute(
            "UPDATE logbook_entry SET record = overlay(record placing 'Y' from 30) WHERE number = 3"
        )
        await page.reload()
        await expect(page.locator("#integrity h2")).to_have_text("FALSE")
        await expect(page.locator("#integrity")).to_contain_text("entry 3")


async def test_a_robot_without_a_logbook_has_no_page_of_one(at: tuple[Desk, Serving]):
    token = await at[1].token(Person.VIEWER)
    async with httpx.AsyncClient(base_url=at[1].url) as client:
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
        assert (await client.get(f"/robots/{ROBOT[:-1]}9/logbook", headers=headers)).status_code == 404
