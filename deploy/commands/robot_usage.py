"""`robovitals robot usage CODE`: what a robot was used for: scenarios, operating time, load."""

import argparse
import asyncio
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.table import Table

from deploy.find_robot import find_robot
from deploy.settings import Settings, endpoints
from schemas.robot_code import checked_code
from schemas.usage import Usage
from serve import care, database

EXAMPLE = "robovitals robot usage ZZ-SIM0-HUMAN1-00000000000000017"


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "what a robot was used for, by its hours: scenarios, operating time, load"
    parser = actions.add_parser("usage", help=text, description=text)
    parser.set_defaults(acted=run)
    parser.add_argument("code", help="the 29-character robot code; hyphens and spaces are left out")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    found = asyncio.run(_usage(endpoints(settings).database_url, checked_code(args.code)))
    if args.json:
        print(msgspec.json.encode(found).decode())
    else:
        _print(Console(highlight=False), found)
    return 0


async def _usage(database_url: str, code: str) -> Usage:
    async with database.connected(database_url) as connection:
        state = await find_robot(connection, code)
        return await care.used(connection, state.robot_id)


def _print(console: Console, found: Usage) -> None:
    if not found.used:
        console.print("no hour of it is over yet")
        return
    table = Table("scenario", "from", "until", "operating", "unlogged", "load*", box=None)
    for one in found.used:
        load = "–" if one.load is None else f"{one.load:.2f}"
        table.add_row(one.scenario or "not told", _day(one.from_us), _day(one.until_us), _hours(one.used_s),
                      _hours(one.unlogged_s), load)  # fmt: skip
    console.print(table)
    console.print("* an estimate: 1 is its own median working hour")
    for gap in found.gaps:
        unlogged = f", while its counter gained {_hours(gap.unlogged_s)}" if gap.unlogged_s else ""
        console.print(f"nothing was heard from {_day(gap.from_us)} until {_day(gap.until_us)}{unlogged}")


def _day(us: int) -> str:
    return f"{datetime.fromtimestamp(us / 1e6, UTC):%Y-%m-%d %H:%M}"


def _hours(seconds: int) -> str:
    return f"{seconds / 3600:.1f} h"
