"""Somebody who is logged in, in a real Chromium, on the server of the test's own loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page, async_playwright, expect

from deploy.bench.browser import chromium
from deploy.commands.access import make_link
from serve.people import Role
from support.serving import Serving

WITHIN_MS = 90_000.0  # long enough for a slow machine: only a test that fails waits for it
expect.set_options(timeout=WITHIN_MS)


@asynccontextmanager
async def visit(server: Serving, path: str, role: Role = Role.OPERATOR, **context: Any) -> AsyncIterator[Page]:
    """A page of ours, seen by somebody who is logged in; it must not complain."""
    async with async_playwright() as playwright:
        # As root Chromium has no sandbox; what it opens is our own page.
        browser = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        usual = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
        page = await (await browser.new_context(**usual | context)).new_page()
        page.set_default_timeout(WITHIN_MS)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(await make_link(server.database_url, server.url, "mira", role, None))
        await page.goto(f"{server.url}{path}")
        yield page
        await browser.close()
    assert complaints == []
