"""Pictures of the page: `make screenshots`.

In: nothing; a stack of its own with the demo's fleet is started. Out: docs/screenshots/*.png, those of the README;
with `--all DIRECTORY` every page in light, dark and phone width, and the fleet without JavaScript. Run with
`python -m deploy.screenshots`.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from playwright.sync_api import Browser, BrowserContext, StorageState, sync_playwright

from deploy.bench import history
from deploy.bench.browser import chromium
from deploy.commands.access import make_link
from deploy.local import control, ports
from deploy.local.steps import Steps
from deploy.platform_key import needed_platform_key
from deploy.settings import HOME, Settings, endpoints, read_settings
from ingest.faults import find_robot
from serve import credentials, database, sites
from serve.database import Alarm
from serve.people import Role
from serve.sites import Placing

PICTURES = Path(__file__).parent.parent / "docs" / "screenshots"
ROBOTS = 400
WORN = "1"
"""Of the demo's fleet the robot that is about to fail (docs/demo.md)."""
STORIES_WITHIN_S = 300.0
SETTLED_MS = 2500
WITHIN_MS = 60_000
WIDE, TALL, PHONE = (1440, 900), (1440, 1610), (390, 844)


OPERATOR, NEWCOMER = "mira", "noor"
SITES = ("Berlin", "Graz", "Leipzig, hall 1", "Leipzig, hall 2")
EMPTY = "nothing-yet"
"""A fleet before its first robot."""
SESSIONS: dict[str, tuple[Role, list[str] | None]] = {
    OPERATOR: (Role.OPERATOR, None),
    NEWCOMER: (Role.VIEWER, [EMPTY]),
}


class Shot(msgspec.Struct, frozen=True):
    """One picture. `full`: all of the page, not only what fits into the window. `who`: of SESSIONS, or nobody."""

    name: str
    path: str
    scheme: str = "light"
    size: tuple[int, int] = WIDE
    full: bool = False
    who: str = OPERATOR
    scripts: bool = True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.screenshots", description="pictures of the page")
    parser.add_argument("--all", type=Path, metavar="DIRECTORY", help="every page, light, dark and phone")
    parser.add_argument("--robots", type=int, default=ROBOTS, help=f"size of the fleet (default {ROBOTS})")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="robovitals-pictures-") as home:
        settings = msgspec.structs.replace(read_settings(), home=Path(home), kafka=None, database_url=None)
        steps = Steps()
        control.start(settings, steps, simulate=args.robots)
        try:
            _long_life(settings)
            alarms = asyncio.run(_alarms(settings))
            worn = find_robot(settings.home, WORN).code
            with _server(settings) as url:
                links = asyncio.run(_links(endpoints(settings).database_url, url))
                shots = _all(alarms, worn) if args.all else _readme(worn)
                _take(url, links, args.all or PICTURES, shots, steps)
        finally:
            control.stop(settings, steps)
    return 0


def _long_life(settings: Settings) -> None:
    """A robot whose report has something to tell."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    url, key = endpoints(settings).database_url, needed_platform_key(settings)
    asyncio.run(history.fill(url, years=3, entries=50, end=end, key=key))


async def _links(database_url: str, url: str) -> dict[str, str]:
    """By who it is the address that logs them in."""
    async with database.connected(database_url) as connection:
        await credentials.add_to_fleet(connection, EMPTY, ["ZZNONE"])
        found = await connection.fetch("SELECT robot_id FROM robot ORDER BY robot_id")
        placings = [Placing(row["robot_id"], SITES[number % len(SITES)]) for number, row in enumerate(found[10:])]
        await sites.place(connection, placings)
    return {
        name: await make_link(database_url, url, name, role, fleets) for name, (role, fleets) in SESSIONS.items()
    }


async def _alarms(settings: Settings) -> list[Alarm]:
    """What is on the list, once the demo's stories have been found."""
    connection = await database.connect(endpoints(settings).database_url)
    until_s = time.monotonic() + STORIES_WITHIN_S
    try:
        while True:
            alarms = await database.alarms(connection)
            about = {alarm.status for alarm in alarms}
            if (len(alarms) >= 3 and "UNKNOWN" in about) or time.monotonic() > until_s:
                return alarms
            await asyncio.sleep(2)
    finally:
        await connection.close()


@contextmanager
def _server(settings: Settings) -> Iterator[str]:
    """A page server of our own, at an address that nobody else needs to know."""
    port = ports.choose()
    command = [sys.executable, "-P", "-m", "deploy.cli", "serve", "--port", str(port)]
    with (settings.home / "pictures.log").open("ab") as log:
        process = subprocess.Popen(command, env=os.environ | {HOME: str(settings.home)}, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _readme(worn: str) -> list[Shot]:
    return [
        Shot("fleet", "/"),
        Shot("alarms", "/alarms", "dark"),
        Shot("robot", f"/robots/{worn}", size=TALL),
        Shot("report", f"/robots/{history.ROBOT}/report", size=TALL),
    ]


def _all(alarms: list[Alarm], worn: str) -> list[Shot]:
    """Every page that somebody can come to."""
    pages = {
        "fleet": "/", "fleet-site": "/?group_by=site", "alarms": "/alarms", "pipeline": "/pipeline",
        "alerts": "/alerts", "export": "/export", "login": "/login", "robot": f"/robots/{worn}",
        "robot-30d": f"/robots/{worn}?range=30d", "robot-1y": f"/robots/{worn}?range=1y", "missing": "/robots/none",
        "empty": "/", "report": f"/robots/{history.ROBOT}/report", "report-young": f"/robots/{worn}/report",
    }  # fmt: skip
    pages |= {f"alarm-{alarm.state}": f"/alarms/{alarm.episode_id}" for alarm in alarms}
    if parents := [alarm for alarm in alarms if alarm.robot_id == "fleet"]:
        pages["parent"] = f"/alarms/{parents[0].episode_id}"
    if members := [alarm for alarm in alarms if alarm.parent]:
        pages["member"] = f"/robots/{members[0].robot_id}"
    who = {"login": "", "empty": NEWCOMER}
    looks = [(scheme, size) for scheme in ("light", "dark") for size in (WIDE, PHONE)]
    return [
        *(
            Shot(f"{page}-{scheme}-{size[0]}", path, scheme, size, full=True, who=who.get(page, OPERATOR))
            for page, path in pages.items()
            for scheme, size in looks
        ),
        Shot("fleet-without-scripts", "/", full=True, scripts=False),
    ]


def _take(url: str, links: dict[str, str], directory: Path, shots: list[Shot], steps: Steps) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # As root Chromium has no sandbox; what it opens is our own page.
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        sessions = {who: _log_in(browser, url, link) for who, link in links.items()}
        for shot in shots:
            width, height = shot.size
            context = browser.new_context(
                storage_state=sessions.get(shot.who), base_url=url, viewport={"width": width, "height": height},
                color_scheme="dark" if shot.scheme == "dark" else "light", reduced_motion="reduce",
                java_script_enabled=shot.scripts,
            )  # fmt: skip
            _picture(context, shot, directory / f"{shot.name}.png")
            steps.say(f"{directory / shot.name}.png")
            context.close()
        browser.close()


def _log_in(browser: Browser, url: str, link: str) -> StorageState:
    context = browser.new_context()
    page = context.new_page()
    until_s = time.monotonic() + WITHIN_MS / 1000
    while not _answers(url) and time.monotonic() < until_s:
        time.sleep(0.2)
    page.goto(link, timeout=WITHIN_MS)
    session = context.storage_state()
    context.close()
    return session


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/login", timeout=2):  # noqa: S310  our own address
            return True
    except OSError:
        return False


def _picture(context: BrowserContext, shot: Shot, path: Path) -> None:
    page = context.new_page()
    page.goto(shot.path, timeout=WITHIN_MS)
    page.wait_for_timeout(SETTLED_MS)  # charts and the grid are drawn, and the banner has heard something
    page.screenshot(path=path, full_page=shot.full)


if __name__ == "__main__":
    sys.exit(main())
