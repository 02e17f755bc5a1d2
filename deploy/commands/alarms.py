"""`robovitals alarms`: what operators have on their list, worst first."""

import argparse
import asyncio
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.markup import escape

from deploy.settings import Settings, endpoints
from deploy.text import STATUS_STYLE, since
from schemas.anomaly import FLEET
from schemas.errors import SettingError
from schemas.health import Status
from schemas.robot_code import checked_code
from serve import database
from serve.database import Alarm, OutOfService
from serve.words import matter

EXAMPLE = "robovitals alarms --limit 20"

_STATE_WORDS = {
    "unacknowledged_active": "calling",
    "acknowledged_active": "acknowledged",
    "unacknowledged_cleared": "ended unseen",
    "shelved": "shelved",
    "out_of_service": "out of service",
    "muted": "part of another",
}


class AlarmList(msgspec.Struct, frozen=True):
    """What the command prints, as it appears in `--json`. `counts` by state, of all robots."""

    counts: dict[str, int]
    alarms: list[Alarm]
    out_of_service: list[OutOfService]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--robot", metavar="CODE", help="only those of one robot, or of the `fleet`")
    parser.add_argument(
        "--muted", action="store_true", help="also what calls nobody: shelved, out of service, part of another"
    )
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="at most N (default 50)")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.limit < 1:
        raise SettingError(f"--limit {args.limit}: give 1 or more")
    code = checked_code(args.robot) if args.robot not in (None, FLEET) else args.robot
    found = asyncio.run(_list(endpoints(settings).database_url, code, args.muted, args.limit))
    if args.json:
        print(msgspec.json.encode(found).decode())
    else:
        _print(found, datetime.now(UTC))
    return 0


async def _list(database_url: str, code: str | None, with_muted: bool, limit: int) -> AlarmList:
    async with database.connected(database_url) as connection:
        return AlarmList(
            counts=await database.alarm_counts(connection),
            alarms=await database.alarms(connection, code, with_muted, limit),
            out_of_service=await database.out_of_service(connection, code),
        )


def _print(found: AlarmList, now: datetime) -> None:
    console = Console(highlight=False)
    counts = [f"{found.counts.get(state, 0)} {words}" for state, words in _STATE_WORDS.items()]
    console.print(", ".join(counts), soft_wrap=True)
    for service in found.out_of_service:
        note = f": {escape(service.note)}" if service.note else ""
        component = service.component or "(all of it)"
        console.print(
            f"out of service: {service.robot_id} {component} for {since(service.since, now)}, by "
            f"{escape(service.actor)}{note}",
            soft_wrap=True,
        )
    if not found.alarms:
        console.print("nothing on this list")
        return
    for alarm in found.alarms:
        head = f"{state_of(alarm, now)}  {alarm.status}  {alarm.robot_id}  {alarm.component}"
        console.print(
            f"{head}  for {since(alarm.opened, now)}  ({alarm.episode_id[:8]})",
            style=STATUS_STYLE[Status(alarm.status)],
            soft_wrap=True,
        )
        console.print(f"    {escape(_what(alarm))}", soft_wrap=True)


def state_of(alarm: Alarm, now: datetime) -> str:
    """In words, with how long a shelf still holds."""
    words = _STATE_WORDS["muted"] if alarm.parent else _STATE_WORDS[alarm.state]
    if alarm.state == "shelved" and alarm.shelved_until:
        words += f" for {since(now, alarm.shelved_until)}"
    return f"{words}, chattering" if alarm.chattering and alarm.active else words


def _what(alarm: Alarm) -> str:
    """The sentence of its latest transition names who did what; where that is not the latest, it is added."""
    text = matter(alarm.text, alarm.actor, alarm.note)
    return f"{text} ({alarm.actor}{f': {alarm.note}' if alarm.note else ''})" if alarm.actor else text
