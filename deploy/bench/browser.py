"""A real browser on the fleet's page: how soon, how smooth, how large.

In: where the page is, and a link to log in with. Out: what the browser says of itself. Called by `page.py`.
The page marks `robovitals:ready` when its grid is drawn and answers to clicks.
"""

import asyncio
import shutil
import time
from dataclasses import dataclass, field

from playwright.async_api import CDPSession, Page, async_playwright

from schemas.errors import UnavailableError

READY = "robovitals:ready"
HEAP_EVERY_S = 10.0
WITHIN_MS = 60_000
_SETTLED_S = 1.0
_WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.longTasks.push([entry.startTime, entry.duration]);
}).observe({ type: "longtask", buffered: true });
"""


@dataclass(slots=True)
class Browsed:
    """`usable_s` one a load; `long_tasks_ms` those over 50 ms that began a second or more after the page was
    usable; `heap_mib` after a collection, one each HEAP_EVERY_S.
    """

    usable_s: list[float] = field(default_factory=list)
    long_tasks_ms: list[float] = field(default_factory=list)
    heap_mib: list[float] = field(default_factory=list)

    @property
    def longest_task_ms(self) -> list[float]:
        """The browser tells only of those over 50 ms: 50 where there was none."""
        return [max(self.long_tasks_ms, default=50.0)]

    @property
    def heap_growth_mib(self) -> list[float]:
        return [self.heap_mib[-1] - self.heap_mib[0]] if self.heap_mib else []


def chromium() -> str:
    """Debian's. Raises UnavailableError."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise UnavailableError("no Chromium found: apt-get install chromium")
    return found


async def browse(url: str, link: str, seconds: float, rounds: int) -> Browsed:
    """Load the fleet's page `rounds` times, then watch it for `seconds`."""
    browsed = Browsed()
    async with async_playwright() as playwright:
        # As root Chromium has no sandbox; what it opens is our own page.
        browser = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            page = await (await browser.new_context(viewport={"width": 1600, "height": 1000})).new_page()
            await page.add_init_script(_WATCH)
            await page.goto(f"{url}/login?link={link}", timeout=WITHIN_MS)
            for _ in range(rounds):
                await page.goto(url, timeout=WITHIN_MS)
                browsed.usable_s.append(await _usable_s(page))
            ready_ms = 1000 * browsed.usable_s[-1]
            await _watch(page, await page.context.new_cdp_session(page), seconds, browsed)
            tasks = await page.evaluate("window.longTasks")
            after_ms = ready_ms + 1000 * _SETTLED_S
            browsed.long_tasks_ms = [took for began, took in tasks if began > after_ms]
        finally:
            await browser.close()
    return browsed


async def _usable_s(page: Page) -> float:
    """Since the navigation began."""
    await page.wait_for_selector(
        "canvas[data-drawn]", timeout=WITHIN_MS
    )  # the page's policy forbids to wait by eval
    return float(await page.evaluate(f"performance.getEntriesByName('{READY}')[0].startTime")) / 1000


async def _watch(page: Page, session: CDPSession, seconds: float, browsed: Browsed) -> None:
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0:
        await asyncio.sleep(min(left_s, HEAP_EVERY_S))
        await session.send("HeapProfiler.collectGarbage")
        used = await session.send("Runtime.getHeapUsage")
        browsed.heap_mib.append(float(used["usedSize"]) / 2**20)
