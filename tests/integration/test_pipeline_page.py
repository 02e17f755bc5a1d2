"""The pipeline's and the alerts' pages in a real Chromium, over the real server."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from schemas.kafka import Kafka
from schemas.topics import FRAMES
from serve.people import Role
from support.assess import robot
from support.seeded import CODE, HOSTILE
from support.serving import Serving, serving
from support.visit import visit

BROKEN = b'{"v": 1, "robot_id": "' + HOSTILE.replace('"', "'").encode() + b'", "seq": 0'
REJECT = """
INSERT INTO reject (topic, partition, record_offset, received, reason, detail, key, value)
VALUES ('telemetry.frames', 0, 5, now(), 'undecodable', 'it ends too early', 'ZZ', $1)
"""
OTHER = robot(2)
DELIVERY = """
INSERT INTO delivery (delivery_id, receiver, route, bundle, event_id, episode_id, robot_id, transition, status,
    event, created, ready, due, state)
VALUES ($1, 'workshop', 'all', '', $1, 'e1', $2, 'opened', 'OFF_SPEC', '', now(), now(), now(), 'delivered')
"""
RECEIVER = "INSERT INTO receiver (name, kind, configured) VALUES ('workshop', 'webhook', true)"

FAILED = """
WITH failed AS (
    UPDATE delivery SET state = 'failed', attempts = 2, finished = now() WHERE delivery_id = $1 RETURNING id
)
INSERT INTO delivery_attempt (delivery, message_id, time, duration_ms, code, answer, error)
SELECT id, 'm1', now() - interval '1 minute', 41, 503, $2, '' FROM failed
UNION ALL SELECT id, 'm1', now(), NULL, NULL, '', 'the connection was refused' FROM failed
"""


@pytest.fixture
async def server(topics: Kafka, database_url: str, tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(topics, database_url, tmp_path) as running:
        yield running


async def execute(database_url: str, statement: str, *parameters: object) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(statement, *parameters)
    await connection.close()


async def test_a_reject_is_read_as_far_as_it_goes_and_sent_again(server: Serving, topics: Kafka) -> None:
    await execute(server.database_url, REJECT, BROKEN)
    async with visit(server, "/pipeline", Role.ADMIN) as page:
        await page.get_by_text("nothing can be read").click()
        await expect(page.locator("#rejects pre").first).to_contain_text("<img src=x")
        await expect(page.locator("main img")).to_have_count(0)
        await page.get_by_label("Choose the reject of telemetry.frames 0 offset 5").check()
        await page.get_by_role("button", name="Send again").click()
        await expect(page.locator("#toasts")).to_contain_text("1 sent again")
        await page.reload()
        await expect(page.locator(".redriven")).to_contain_text("by mira")
    async with AIOKafkaConsumer(
        FRAMES.name, **topics.client(), auto_offset_reset="earliest", enable_auto_commit=False
    ) as consumer:
        assert (await consumer.getone()).value == BROKEN


async def test_who_may_not_send_again_sees_no_bytes(server: Serving) -> None:
    await execute(server.database_url, REJECT, BROKEN)
    async with visit(server, "/pipeline") as page:
        await expect(page.locator("#rejects")).to_contain_text("an admin sees them")
        await expect(page.locator("main")).not_to_contain_text("img src")
        await expect(page.get_by_text("undecodable")).to_be_visible()


async def test_a_test_is_asked_for_and_appears_in_the_log(server: Serving) -> None:
    await execute(server.database_url, RECEIVER)
    async with visit(server, "/alerts") as page:
        await page.get_by_role("button", name="Send a test").click()
        await expect(page.locator("#toasts")).to_contain_text("on its way to workshop")
        await expect(page.locator(".deliveries li")).to_contain_text("workshop: opened test")


async def test_each_attempt_of_a_delivery_can_be_looked_at(server: Serving) -> None:
    await execute(server.database_url, DELIVERY, "d1", CODE)
    await execute(server.database_url, FAILED, "d1", HOSTILE)
    async with visit(server, "/alerts") as page:
        await page.get_by_text("Attempts", exact=True).click()
        lines = page.locator(".attempts tbody tr")
        await expect(lines).to_have_count(2)
        await expect(lines.first).to_contain_text("41 ms")
        await expect(lines.first).to_contain_text("503")
        await expect(lines.first).to_contain_text(HOSTILE)
        await expect(lines.last).to_contain_text("under way, or cut off")
        await expect(lines.last).to_contain_text("the connection was refused")
        await expect(page.locator("main img")).to_have_count(0)


async def test_alerts_fit_on_a_phone(server: Serving) -> None:
    await execute(server.database_url, RECEIVER)
    async with visit(server, "/alerts", viewport={"width": 360, "height": 800}) as page:
        await expect(page.locator("h1")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("path", ["/pipeline", "/alerts"])
async def test_nothing_keeps_anybody_out(server: Serving, path: str) -> None:
    await execute(server.database_url, REJECT, BROKEN)
    await execute(server.database_url, RECEIVER)
    for scheme in ("light", "dark"):
        async with visit(server, path, Role.ADMIN, color_scheme=scheme) as page:
            await expect(page.locator("h1")).to_be_visible()
            found = (await Axe().run(page)).response["violations"]
            assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


async def test_who_sees_a_fleet_sees_what_was_told_of_its_robots_only(server: Serving) -> None:
    await execute(server.database_url, "INSERT INTO fleet_robots (fleet, prefix) VALUES ('mine', $1)", CODE)
    for robot_id in (CODE, OTHER, "fleet"):
        await execute(server.database_url, DELIVERY, f"d{robot_id}", robot_id)
    async with await server.client(Role.VIEWER, ["mine"]) as client:
        told = (await client.get("/deliveries")).json()
    assert [line["robot_id"] for line in told] == [CODE]
    async with await server.client(Role.VIEWER) as client:
        told = (await client.get("/deliveries")).json()
    assert {line["robot_id"] for line in told} == {CODE, OTHER, "fleet"}
