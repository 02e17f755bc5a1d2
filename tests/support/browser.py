"""The page in a real Chromium, over a stack whose robots are simulated: what the page's tests share.

`page_stack` starts the processes of the product on a database of their own; `Visitor` is somebody who is logged in.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import psycopg
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from deploy.bench.browser import chromium
from deploy.local import ports
from deploy.settings import Endpoints
from deploy.topics import delete_all, ensure
from schemas.kafka import Kafka
from support.pipeline import Pipeline, pipeline

PROCESSES = ("land", "summarise", "assess")
WITHIN_MS = 300_000.0  # long enough for a slow machine: only a test that fails waits for it
SERIOUS = ("serious", "critical")
Scheme = Literal["light", "dark"]


class PageStack:
    """A pipeline with a server in front of it."""

    def __init__(self, running: Pipeline, port: int) -> None:
        self.pipeline = running
        self.url = f"http://127.0.0.1:{port}"
        self._port = port

    def serve(self) -> None:
        self.pipeline.start("serve", "--port", str(self._port))

    def lose_server(self) -> None:
        self.pipeline.kill("serve")

    def break_robot(self, robot: int | str, fault: str = "backlash") -> str:
        """Break a simulated robot; its code."""
        done = self.pipeline.command("demo", "break", str(robot), "--fault", fault)
        assert done.returncode == 0, done.stderr
        return done.stdout.split(":")[0]

    def heal(self, robot: int | str) -> None:
        done = self.pipeline.command("demo", "break", str(robot), "--heal")
        assert done.returncode == 0, done.stderr

    def link(self, role: str, name: str) -> str:
        done = self.pipeline.command("access", "link", name, "--role", role, "--url", self.url)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def page_stack(stack: Endpoints, template: str, name: str, home: Path, robots: int) -> Iterator[PageStack]:
    """The processes, a fleet, and the server, until the tests of a module leave it."""
    asyncio.run(_fresh_topics(stack.kafka))
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    database_url = urlunsplit(urlsplit(stack.database_url)._replace(path=f"/{name}"))
    with pipeline(home, stack.kafka, database_url) as running:
        for process in PROCESSES:
            running.start(process)
        running.start("simulate", "--robots", str(robots))
        started = PageStack(running, ports.choose())
        started.serve()
        yield started


async def _fresh_topics(kafka: Kafka) -> None:
    await delete_all(kafka)
    await ensure(kafka)


class Visitor:
    """Somebody who is logged in, with as many pages as they open."""

    def __init__(self, browser: Browser, stack: PageStack, role: str, name: str) -> None:
        self._browser = browser
        self._stack = stack
        context = browser.new_context()
        page = context.new_page()
        page.goto(stack.link(role, name))
        self._session = context.storage_state()
        context.close()

    @contextmanager
    def page(self, path: str, scheme: Scheme = "light", width: int = 1280) -> Iterator[Page]:
        """A page of ours, which must not complain."""
        context = self._browser.new_context(
            storage_state=self._session, color_scheme=scheme, viewport={"width": width, "height": 800},
            base_url=self._stack.url, reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(WITHIN_MS)
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        visit(page, path)
        try:
            yield page
        finally:
            context.close()
        assert complaints == []


def visit(page: Page, path: str) -> None:
    """Go there, until keys and clicks are answered."""
    page.goto(path)
    page.wait_for_selector("html[data-started]", state="attached")


@contextmanager
def real_browser() -> Iterator[Browser]:
    """Debian's Chromium. Raises UnavailableError with the command that installs it."""
    with sync_playwright() as playwright:
        # As root Chromium has no sandbox; what it opens is our own page.
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


def barriers(page: Page) -> list[str]:
    """What axe finds that would keep somebody out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in SERIOUS
    ]
