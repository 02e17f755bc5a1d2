"""`robovitals robot show CODE`: one robot: last values with their age, status per component, open episodes."""

import argparse
import asyncio
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.table import Table

from deploy.find_robot import find_robot
from deploy.settings import Settings, endpoints
from deploy.text import STATUS_STYLE, number, since
from schemas.health import Status
from schemas.robot_code import RobotCodeParts, checked_code, format_code, parse_code
from serve import database, past
from serve.passport import Passport, passport
from serve.past import Drops
from serve.readings import LatestReading, latest_readings
from serve.robot import QUALITY_OVER
from serve.words import grouped, matter

EXAMPLE = "robovitals robot show ZZ-SIM0-HUMAN1-00000000000000017"

# The newest frames hold what is always measured; what is measured now and then is in the windows before them.
FRAMES, WINDOWS = 20, 720


class RobotReport(msgspec.Struct, frozen=True):
    """What the command prints, as it appears in `--json`."""

    code: RobotCodeParts
    state: database.RobotState
    readings: list[LatestReading]
    open_episodes: list[database.OpenEpisode]
    drops: Drops | None
    passport: Passport | None


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "one robot: last values, status, open episodes"
    parser = actions.add_parser("show", help=text, description=text)
    parser.set_defaults(acted=run)
    parser.add_argument("code", help="the 29-character robot code; hyphens and spaces are left out")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    report = asyncio.run(_report(endpoints(settings).database_url, checked_code(args.code)))
    if args.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report, datetime.now(UTC))
    return 0


async def _report(database_url: str, code: str) -> RobotReport:
    async with database.connected(database_url) as connection:
        state = await find_robot(connection, code)
        frames = await database.latest_frames(connection, code, FRAMES)
        windows = await database.latest_vitals(connection, code, WINDOWS)
        episodes = await database.open_episodes(connection, code)
        drops = await past.drops(connection, code, frames, datetime.now(UTC) - QUALITY_OVER)
        registered = await passport(connection, code)
    return RobotReport(parse_code(code), state, latest_readings(frames, windows), episodes, drops, registered)


def _print(report: RobotReport, now: datetime) -> None:
    console = Console(highlight=False)
    state, code = report.state, report.code
    status = Status(state.status or Status.UNKNOWN)
    console.print(f"[bold]{format_code(checked_code(state.robot_id))}[/bold]  ", end="")
    console.print(f"country {code.country}, maker {code.enterprise}, model {code.model}, serial {code.serial}")
    console.print(status.value, style=STATUS_STYLE[status], end="")
    console.print(
        f"  zone {state.zone or '–'}, {state.mode or 'mode unknown'}, software {state.software or '–'}", end=""
    )
    console.print(f", last seen {since(state.last_seen, now)} ago{f', at {state.site}' if state.site else ''}")
    _print_passport(console, report.passport)
    _print_components(console, report)
    _print_episodes(console, report, now)
    _print_readings(console, report, now)
    _print_drops(console, report.drops, now)


def _print_passport(console: Console, passport: Passport | None) -> None:
    if passport is None:
        console.print("not registered")
        return
    level = f", level {passport.level}" if passport.level else ""
    console.print(
        f"{passport.status} since {passport.status_since:%Y-%m-%d}: {passport.maker} {passport.model}{level}, "
        f"{passport.joints} joints, made {passport.made:%Y-%m-%d}; {passport.entries} entries in its logbook"
    )


def _print_components(console: Console, report: RobotReport) -> None:
    table = Table(
        "component", "status", "zone", "evidence", "remaining life", title="Health", title_justify="left", box=None
    )
    for component in report.state.components or []:
        text = "; ".join(evidence.text for evidence in component.evidence)
        life = component.remaining_life.text if component.remaining_life else "–"
        table.add_row(component.component, component.status.value, component.zone.value or "–", text, life,
                      style=STATUS_STYLE[component.status])  # fmt: skip
    console.print(table if table.row_count else "Health: not judged yet")


def _print_episodes(console: Console, report: RobotReport, now: datetime) -> None:
    if not report.open_episodes:
        console.print("\nNo open episodes")
        return
    titles = ("since", "component", "status", "state", "text")
    table = Table(*titles, title="\nOpen episodes", title_justify="left", box=None)
    for episode in report.open_episodes:
        state = episode.state.replace("_", " ")
        table.add_row(since(episode.opened, now), episode.component, episode.status, state, matter(episode.text))
    console.print(table)


def _print_readings(console: Console, report: RobotReport, now: datetime) -> None:
    """A row a signal: all joints of one age on one line, older ones on their own."""
    table = Table(
        "signal", "unit", "age", "value (joints in order)", title="\nLast values", title_justify="left", box=None
    )
    rows: dict[tuple[str, str, datetime], list[str]] = {}
    for reading in report.readings:
        text = number(reading.value) if reading.joint == 0 else f"{reading.joint}:{number(reading.value)}"
        rows.setdefault((reading.signal, reading.unit, reading.time), []).append(text)
    for (signal, unit, time), values in rows.items():
        table.add_row(signal, unit, since(time, now), "  ".join(values))
    console.print(table if table.row_count else "\nNo readings")


def _print_drops(console: Console, drops: Drops | None, now: datetime) -> None:
    if drops is None:
        console.print("\nDropped frames: not reported by this robot")
        return
    lately = "" if drops.lately is None else f", {grouped(drops.lately)} of them in the last 24 h"
    console.print(f"\nDropped frames: {grouped(drops.total)} since its spool began{lately}", end="")
    console.print(f" (told {since(drops.time, now)} ago)")
