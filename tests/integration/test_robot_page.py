"""A robot's page in a real Chromium, over the real server and a robot with a past in the database."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from schemas.kafka import Kafka
from support.seeded import CODE, HOSTILE, JOINTS, now, seed
from support.serving import Serving, serving
from support.visit import visit

GROUPS = 3
CHART = """(id) => import('/static/over-time.mjs').then(({ plots }) => {
  const { chart, plot } = plots.get(id);
  return { data: chart.data.map((column) => [...column]), gaps: chart.gaps, limits: chart.limits, step: chart.step,
    resolution: chart.resolution, start: chart.start, end: chart.end };
})"""
# Which of the canvas's pixels in the column of a moment are of a colour of the style sheet, by their y in pixels.
COLUMN = """([id, time, name]) => import('/static/over-time.mjs').then(({ plots }) => {
  const { plot } = plots.get(id);
  const x = Math.round(plot.valToPos(time, 'x', true));
  const { data } = plot.ctx.getImageData(x, 0, 1, plot.ctx.canvas.height);
  const probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  probe.fillRect(0, 0, 1, 1);
  const wanted = probe.getImageData(0, 0, 1, 1).data;
  const near = (at) => [0, 1, 2].every((c) => Math.abs(data[at + c] - wanted[c]) < 60) && data[at + 3] > 120;
  return Array.from({ length: data.length / 4 }, (_, y) => y).filter((y) => near(4 * y));
})"""


@pytest.fixture
async def server(topics: Kafka, database_url: str, tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(topics, database_url, tmp_path) as running:
        yield running


async def drawn(page: Page, key: str) -> dict[str, Any]:
    """What a chart shows, once it is there."""
    await page.locator(f"#chart-{key}[data-drawn]").wait_for()
    shown: dict[str, Any] = await page.evaluate(CHART, f"chart-{key}")
    return shown


async def test_a_gap_is_a_gap_and_limits_are_lines(server: Serving) -> None:
    await seed(server.database_url, now())
    async with visit(server, f"/robots/{CODE}?joint=1") as page:
        chart = await drawn(page, "temperature")
        times, values = chart["data"][0], chart["data"][3]
        ((begins, ends),) = chart["gaps"]
        assert 2.9 * 3600 < ends - begins < 3.2 * 3600
        inside = [value for time, value in zip(times, values, strict=True) if begins < time < ends]
        assert set(inside) <= {None}
        assert None in values
        middle, before = (begins + ends) / 2, begins - 3 * 3600
        assert await page.evaluate(COLUMN, ["chart-temperature", before, "--line-1"])
        assert not await page.evaluate(COLUMN, ["chart-temperature", middle, "--line-1"])
        assert await page.evaluate(COLUMN, ["chart-temperature", middle, "--chart-hatch"])
        assert {limit["level"]: limit["value"] for limit in chart["limits"]} == {"warn": 80, "alarm": 90}
        (alarm_y, *_) = await page.evaluate(COLUMN, ["chart-temperature", before, "--chart-alarm"])
        (line_y, *_) = await page.evaluate(COLUMN, ["chart-temperature", before, "--line-1"])
        assert alarm_y < line_y
        figure = page.locator("#chart-temperature")
        await expect(figure.locator(".plot")).to_have_attribute(
            "aria-label", re.compile("alarm limit 90 °C; 1 gap")
        )
        await figure.get_by_text("As a table").click()
        await expect(figure.locator("td", has_text="no data").first).to_be_visible()


async def test_a_figure_that_is_measured_now_and_then_has_no_gaps_for_it(server: Serving) -> None:
    await seed(server.database_url, now())
    async with visit(server, f"/robots/{CODE}") as page:
        chart = await drawn(page, "accuracy")
        assert len(chart["gaps"]) == 1
        middle = chart["gaps"][0][1] + 3 * 3600
        assert await page.evaluate(COLUMN, ["chart-accuracy", middle + 70, "--line-1"])


async def test_each_group_of_charts_is_one_request_and_dragging_looks_closer(server: Serving) -> None:
    await seed(server.database_url, now())
    async with visit(server, f"/robots/{CODE}?joint=1&joint=3") as page:
        for key in ("temperature", "accuracy", "soh"):
            await drawn(page, key)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "/series?" in request.url else None)
        await page.reload()
        wide = await drawn(page, "temperature")
        await drawn(page, "soh")
        assert len(asked) == GROUPS
        queries = [parse_qs(urlsplit(url).query) for url in asked]
        assert sorted(query.get("joint", []) for query in queries) == [[], [], ["1", "3"]]
        over = page.locator("#chart-temperature .u-over")
        await over.scroll_into_view_if_needed()
        box = await over.bounding_box()
        assert box
        await page.mouse.move(box["x"] + 0.97 * box["width"], box["y"] + 50)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 0.995 * box["width"], box["y"] + 60, steps=4)
        await page.mouse.up()
        await page.wait_for_url(re.compile("from="))
        await page.locator("#chart-temperature[data-drawn=raw]").wait_for()
        near = await drawn(page, "temperature")
        assert near["step"] < wide["step"]


async def test_range_and_joints_are_in_the_address_and_survive_reload_and_back(server: Serving) -> None:
    await seed(server.database_url, now())
    async with visit(server, f"/robots/{CODE}") as page:
        await drawn(page, "temperature")
        await page.get_by_role("link", name="1h", exact=True).click()
        await page.locator("#joints").get_by_label("5", exact=True).check()
        query = parse_qs(urlsplit(page.url).query)
        assert query["range"] == ["1h"]
        assert "5" in query["joint"]
        await page.reload()
        await expect(page.locator("#ranges [aria-current=true]")).to_have_text("1h")
        await expect(page.locator("#joints").get_by_label("5", exact=True)).to_be_checked()
        chart = await drawn(page, "temperature")
        assert chart["end"] - chart["start"] == pytest.approx(3600, abs=1)
        await page.go_back()
        await page.go_back()
        await expect(page.locator("#ranges [aria-current=true]")).to_have_text("24h")


async def test_it_says_how_the_robot_is_and_nothing_that_it_sends_is_markup(server: Serving) -> None:
    await seed(server.database_url, now())
    async with visit(server, f"/robots/{CODE}") as page:
        await expect(page.locator("#components")).to_contain_text("Joint 3 temperature is 95 °C")
        await expect(page.locator("#components")).to_contain_text("about 40 days (30 to 60)")
        await expect(page.locator("#data")).to_contain_text("dropsnot reported by this robot")
        await expect(page.locator("#timeline")).to_contain_text("acknowledged by mira")
        await expect(page.locator("#timeline")).to_contain_text(HOSTILE)
        await expect(page.locator("#summary")).to_contain_text(HOSTILE)
        assert await page.locator("main img").count() == 0
        picture = page.locator("svg.picture a")
        assert await picture.count() == JOINTS
        await picture.and_(page.get_by_label("joint 3: Out of spec, zone D")).click()
        assert parse_qs(urlsplit(page.url).query)["joint"] == ["3"]


async def test_its_agent_tells_of_clock_spool_and_drops(server: Serving) -> None:
    await seed(server.database_url, now())
    connection = await asyncpg.connect(server.database_url)
    await connection.execute(
        "UPDATE frame SET clock_offset_ms = -1500, clock_synchronised = 1, spool_used = 0.125, "
        "spool_frames = 1200, dropped = 40 + seq / 100"
    )
    await connection.close()
    async with visit(server, f"/robots/{CODE}") as page:
        data = page.locator("#data")
        await expect(data).to_contain_text("clock1.5 s behind the broker's (")
        await expect(data).to_contain_text("NTPkeeps its clock (")
        await expect(data).to_contain_text(re.compile(r"spool12.5\s% full, 1\s200 frames waiting \("))
        await expect(data).to_contain_text(re.compile(r"drops4 frames, 50 since its spool began \("))
        assert (await drawn(page, "spool"))["step"]


async def test_a_silent_robot_is_unknown_and_how_long_counts_on(server: Serving) -> None:
    await seed(server.database_url, now(), silent=True)
    async with visit(server, f"/robots/{CODE}") as page:
        verdict = page.locator(".verdict")
        await expect(verdict).to_contain_text("Unknown")
        await expect(verdict).to_contain_text(re.compile(r"Last seen 1 h \d+ m ago"))
        seen = await page.evaluate(
            "() => { const time = document.querySelector('.verdict time');"
            " time.dateTime = new Date(Date.now() - 58000).toISOString(); return time.textContent; }"
        )
        await expect(verdict.locator("time")).not_to_have_text(seen)
        await expect(verdict.locator("time")).to_have_text(re.compile(r"1 m \d s"))
        assert (await drawn(page, "temperature"))["gaps"][-1][1] == pytest.approx(now().timestamp(), abs=60)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_keeps_anybody_out(server: Serving, scheme: str) -> None:
    await seed(server.database_url, now())
    async with visit(server, f"/robots/{CODE}", color_scheme=scheme) as page:
        await drawn(page, "soh")
        await page.locator("#chart-temperature").get_by_text("As a table").click()
        found = (await Axe().run(page)).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


async def test_a_chart_is_read_with_the_keyboard(server: Serving) -> None:
    await seed(server.database_url, now())
    async with visit(server, f"/robots/{CODE}?joint=2") as page:
        await drawn(page, "temperature")
        plot = page.locator("#chart-temperature .plot")
        await page.locator("#chart-wear summary").focus()
        await page.keyboard.press("Tab")
        await expect(plot).to_be_focused()
        await page.keyboard.press("ArrowLeft")
        await expect(page.locator("#chart-temperature .curves b")).to_have_text("41 °C")


async def test_a_phone_needs_no_scrolling_sideways(server: Serving) -> None:
    await seed(server.database_url, now())
    async with visit(server, f"/robots/{CODE}", viewport={"width": 360, "height": 740}) as page:
        await drawn(page, "soh")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_a_robot_that_is_not_there_is_said_so(server: Serving) -> None:
    async with visit(server, f"/robots/{CODE}") as page:
        await expect(page.locator("main")).to_contain_text("nothing of robot")
