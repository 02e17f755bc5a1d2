"""The export page in a real Chromium, over the real server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from support import seeded
from support.seeded import CODE
from support.serving import Serving, serving
from support.visit import visit


@pytest.fixture
async def server(topics: str, database_url: str, tmp_path: Path) -> AsyncIterator[Serving]:
    await seeded.seed(database_url, seeded.now())
    async with serving(topics, database_url, tmp_path) as running:
        yield running


async def test_how_much_it_is_is_told_and_the_file_comes_whole(server: Serving, tmp_path: Path) -> None:
    async with visit(server, f"/robots/{CODE}") as page:
        await page.get_by_role("link", name="Export").last.click()
        await page.get_by_label("Rows").select_option("frames")
        await page.get_by_role("button", name="Apply").click()
        await expect(page.locator(".file")).to_contain_text("1 robot")
        await expect(page.locator("#rows")).to_have_text(": 361 rows")
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Download CSV").click()
        download = await downloading.value
        await download.save_as(tmp_path / "frames.csv")
        line = page.locator(".exports li")
        await expect(line).to_contain_text("frames.csv")
        await expect(line.locator(".how-far")).to_contain_text("done: 100 %, 1 of 1 robot, 361 rows")
        await expect(line.get_by_role("button")).to_be_hidden()
    assert len((tmp_path / "frames.csv").read_text().splitlines()) == 362


async def test_no_robot_is_no_file(server: Serving) -> None:
    async with visit(server, "/export?site=nowhere") as page:
        await expect(page.locator(".file")).to_contain_text("No robot meets these filters")
        await expect(page.get_by_role("link", name="Download CSV")).to_have_count(0)


async def test_it_keeps_nobody_out_and_fits_on_a_phone(server: Serving) -> None:
    for scheme in ("light", "dark"):
        async with visit(server, "/export", color_scheme=scheme) as page:
            await expect(page.locator("h1")).to_be_visible()
            found = (await Axe().run(page)).response["violations"]
            assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    async with visit(server, "/export", viewport={"width": 360, "height": 800}) as page:
        await expect(page.locator("h1")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
