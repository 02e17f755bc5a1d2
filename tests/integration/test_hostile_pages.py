"""What a robot, an operator or a receiver can write does nothing in a real Chromium, on any page.

The browser is told to ignore our Content-Security-Policy, so what would be code runs.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import msgspec
import pytest
from playwright.async_api import expect

from schemas.health import ComponentHealth, Evidence, Status, Zone
from schemas.kafka import Kafka
from serve.people import Role
from support import two_fleets
from support.serving import Serving, serving
from support.two_fleets import OURS, THEIRS, episode_of
from support.visit import visit

RUN = "document.documentElement.dataset.broken=1"
HOSTILE = (
    f"seen<script>{RUN}</script><img src=x onerror={RUN}><svg onload={RUN}></svg>"
    f"\"'><i data-made onmouseover='{RUN}'></i><iframe srcdoc='<script>parent.{RUN}</script>'></iframe>"
    f"</script></textarea></title><script>{RUN}</script><a href='javascript:{RUN}' data-made>go</a>"
)
FOREIGN = """() => {
  const all = [...document.querySelectorAll('*')];
  const odd = all.filter((one) => one.matches('[data-made], iframe, script:not([src]), img[src="x"]')
    || [...one.attributes].some(({ name, value }) => name.startsWith('on') || /^\\s*javascript:/i.test(value)));
  return odd.map((one) => one.outerHTML.slice(0, 200));
}"""
EVERYTHING = "() => document.querySelectorAll('details').forEach((one) => { one.open = true; })"
PAGES = {
    "/": "table.robots",
    f"/robots/{OURS}": "main",
    "/alarms": "table.alarms",
    f"/alarms/{episode_of(OURS)}": ".history",
    "/pipeline": ".rejects",
    "/alerts": ".deliveries",
}
"""By page where the text must be seen."""


@pytest.fixture
async def server(topics: Kafka, database_url: str, tmp_path: Path) -> AsyncIterator[Serving]:
    connection = await asyncpg.connect(database_url)
    for code in (OURS, THEIRS):
        await two_fleets.add_robot(connection, code, HOSTILE)
    evidence = Evidence(rule="limit", signal=HOSTILE, value=1, unit=HOSTILE, limit=1, since_us=1, text=HOSTILE)
    component = ComponentHealth(component=HOSTILE, status=Status.FAILURE, zone=Zone.D, evidence=[evidence])
    components = msgspec.json.encode([component]).decode()
    await connection.execute("UPDATE health SET components = $1::text::jsonb", components)
    await connection.execute("UPDATE health_history SET components = $1::text::jsonb", components)
    await connection.execute("UPDATE episode SET component = $1, signal = $1, unit = $1, cause = $1", HOSTILE)
    await connection.execute("UPDATE anomaly SET component = $1, signal = $1, unit = $1", HOSTILE)
    await connection.execute("UPDATE action SET component = $1", HOSTILE)
    await connection.execute("UPDATE receiver SET disabled = now(), reason = $1", HOSTILE)
    frame = msgspec.json.encode({"v": 1, "robot_id": HOSTILE, HOSTILE: HOSTILE, "software": HOSTILE})
    for offset, value in enumerate((HOSTILE.encode(), frame, msgspec.msgpack.encode([1, HOSTILE]), frame[:-9])):
        await connection.execute(
            "INSERT INTO reject (topic, partition, record_offset, received, reason, detail, key, value)"
            " VALUES ('telemetry.frames', 0, $1, now(), $2, $2, $3, $4)",
            offset, HOSTILE, HOSTILE.encode(), value,
        )  # fmt: skip
    await connection.close()
    async with serving(topics, database_url, tmp_path) as running:
        yield running


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_that_others_wrote_is_code(server: Serving, path: str) -> None:
    async with visit(server, path, Role.ADMIN, bypass_csp=True) as page:
        await page.locator("html[data-started]").wait_for(state="attached")
        await page.evaluate(EVERYTHING)
        await expect(page.locator(PAGES[path]).first).to_contain_text("seen<script>")
        if path == "/alerts":
            await expect(page.locator(".attempts td").last).to_contain_text("seen<script>")
        if path == f"/robots/{OURS}":
            await page.locator("figure.chart[data-drawn]").first.wait_for()
        assert await page.evaluate(FOREIGN) == []
        assert await page.evaluate("() => document.documentElement.dataset.broken") is None


async def test_this_would_be_noticed(server: Serving) -> None:
    """The same text, put into a page as code, is found, and runs."""
    async with visit(server, "/pipeline", Role.ADMIN, bypass_csp=True) as page:
        await page.evaluate("(text) => document.body.insertAdjacentHTML('beforeend', text)", HOSTILE)
        await page.locator("html[data-broken]").wait_for(state="attached")
        assert len(await page.evaluate(FOREIGN)) >= 5
