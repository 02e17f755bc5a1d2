"""`robovitals deliveries`: the delivery log, and what people ask of it. The notifier alone sends."""

import argparse
import asyncio
import getpass
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from rich.console import Console
from rich.markup import escape

from deploy.durations import seconds
from deploy.settings import Settings, endpoints
from deploy.text import since
from schemas.errors import SettingError
from serve import database
from serve import deliveries as log
from serve.deliveries import Attempt, Delivery, ReceiverState

EXAMPLE = "robovitals deliveries --failed"

_WHAT = ("list", "show", "replay", "receivers", "test", "enable")
_ANSWER_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.2
_STYLE = {"delivered": "green", "failed": "red", "pending": "yellow", "sending": "yellow", "dropped": "dim"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", default="list", choices=_WHAT, metavar="WHAT", help=", ".join(_WHAT))
    parser.add_argument("names", nargs="*", metavar="NAME", help="show, replay: ids; test, enable: a receiver")
    parser.add_argument("--receiver", metavar="NAME", help="list, replay: only of this receiver")
    parser.add_argument("--episode", metavar="ID", help="list: only of this one; the beginning of its id will do")
    parser.add_argument(
        "--failed", action="store_true", help="list: only what was given up, or waits after a failure"
    )
    parser.add_argument("--dropped", action="store_true", help="list: also what nobody was to be told after all")
    parser.add_argument("--since", metavar="TIME", help="replay --receiver: all that is not older, such as 1h")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="list: at most N (default 50)")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.epilog = (
        "`show ID` has each attempt with the answer. `replay ID…` or `replay --receiver NAME --since 1h` sends "
        "again, with the ids that they had, so that a receiver can drop what it has already. `test RECEIVER` sends "
        "a marked test and prints the answer; `enable RECEIVER` goes on after a receiver has said that it is gone "
        "(410)."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.limit < 1:
        raise SettingError(f"--limit {args.limit}: give 1 or more")
    return asyncio.run(_run(args, endpoints(settings).database_url))


async def _run(args: argparse.Namespace, database_url: str) -> int:
    async with database.connected(database_url) as connection:
        match args.what:
            case "list":
                await _list(connection, args)
            case "show":
                for id in _ids(args.names):
                    await _show(connection, id, args.json)
            case "replay":
                await _replay(connection, args)
            case "receivers":
                _print_receivers(await log.receivers(connection), args.json)
            case "enable":
                count = await log.enable(connection, _one(args.names, "enable"))
                print(f"{args.names[0]} is told again; {count} deliveries go out now")
            case "test":
                return await _test(connection, _one(args.names, "test"))
    return 0


async def _list(connection: asyncpg.Connection, args: argparse.Namespace) -> None:
    if args.names:
        raise SettingError(f"{args.names[0]!r}: to list takes no name; --receiver or --episode choose")
    found = await log.deliveries(
        connection, args.receiver, args.episode, args.failed, args.dropped, args.limit
    )  # fmt: skip
    if args.json:
        _print_json(found)
        return
    console, now = Console(highlight=False), datetime.now(UTC)
    for one in found:
        console.print(_line(one, now), style=_STYLE[one.state], soft_wrap=True)
    if not found:
        console.print("nobody was told of anything like that")


def _line(one: Delivery, now: datetime) -> str:
    """Id, age, state, receiver, what it is about, and what went wrong."""
    head = f"{one.id}  {since(one.created, now)} ago  {state_of(one, now)}  {one.receiver}"
    what = f"{one.transition}  {one.status}  {one.robot_id}  ({one.episode_id[:8]})"
    went = one.detail or one.error or (f"it answered {one.code}" if one.code and one.state != "delivered" else "")
    return escape(f"{head}  {'TEST ' if one.test else ''}{what}{f': {went}' if went else ''}")


def state_of(one: Delivery, now: datetime) -> str:
    """In words, with how many attempts there were and when the next is."""
    tries = f", {one.attempts} {'try' if one.attempts == 1 else 'tries'}" if one.attempts else ""
    if one.state != "pending":
        return f"{one.state}{tries}"
    if one.disabled:
        return f"waits: its receiver is disabled{tries}"
    return f"waits for {since(now, one.due)}{tries}" if one.due > now else f"is due{tries}"


async def _show(connection: asyncpg.Connection, id: int, as_json: bool) -> None:
    found = await log.attempts(connection, id)
    if as_json:
        _print_json(found)
        return
    console = Console(highlight=False)
    console.print(f"delivery {id}: {len(found)} attempts")
    for attempt in found:
        console.print(f"  {escape(_attempt(attempt))}", soft_wrap=True)


def _attempt(attempt: Attempt) -> str:
    if attempt.duration_ms is None:
        return f"{attempt.time:%Y-%m-%d %H:%M:%S} UTC  {attempt.message_id}  under way, or ended in the middle"
    came = attempt.error or f"{attempt.code}"
    answer = f"  {' '.join(attempt.answer.split())}" if attempt.answer.strip() else ""
    return f"{attempt.time:%Y-%m-%d %H:%M:%S} UTC  {attempt.message_id}  {attempt.duration_ms} ms  {came}{answer}"


async def _replay(connection: asyncpg.Connection, args: argparse.Namespace) -> None:
    if args.receiver and args.since and not args.names:
        begin = datetime.now(UTC) - timedelta(seconds=seconds("--since", args.since))
        count = await log.replay_since(connection, args.receiver, begin)
    elif args.names and not args.receiver and not args.since:
        count = await log.replay(connection, _ids(args.names))
    else:
        raise SettingError("replay: give ids of deliveries, or --receiver NAME and --since TIME")
    print(f"{count} deliveries go out again")


async def _test(connection: asyncpg.Connection, receiver: str) -> int:
    """Waits for the answer. 1 where the receiver did not take it."""
    id = await log.request_test(connection, receiver, getpass.getuser(), time.time_ns() // 1000)
    until_s = time.monotonic() + _ANSWER_WITHIN_S
    while time.monotonic() < until_s:
        found = [attempt for attempt in await log.attempts(connection, id) if attempt.duration_ms is not None]
        if found:
            print(_attempt(found[0]))
            taken = not found[0].error and found[0].code is not None and 200 <= found[0].code < 300
            print(f"{receiver} has taken the test" if taken else f"{receiver} has not taken the test")
            return 0 if taken else 1
        await asyncio.sleep(_LOOK_EVERY_S)
    print(f"no answer after {_ANSWER_WITHIN_S:.0f} s: does the notifier run? `robovitals status`")
    return 1


def _print_receivers(found: list[ReceiverState], as_json: bool) -> None:
    if as_json:
        _print_json(found)
        return
    now = datetime.now(UTC)
    for one in found:
        if one.disabled:
            state = f"disabled for {since(one.disabled, now)}: {one.reason}"
        elif not one.configured:
            state = "not in the file any more"
        elif one.paused_until and one.paused_until > now:
            state = f"wants to be left alone for {since(now, one.paused_until)}"
        else:
            state = f"last took something {since(one.last_success, now)} ago" if one.last_success else "never told"
        print(f"{one.name}  {one.kind}  {one.pending} wait, {one.failed} failed  {state}")
    if not found:
        print("nobody is told: ROBOVITALS_NOTIFY names a file with receivers, docs/notify.toml is an example")


def _print_json(found: Any) -> None:
    print(msgspec.json.encode(found).decode())


def _ids(names: list[str]) -> list[int]:
    for name in names:
        if not name.isdecimal():
            raise SettingError(f"{name!r} is no delivery's id: a number, as `robovitals deliveries` shows it")
    if not names:
        raise SettingError("give the id of a delivery, as `robovitals deliveries` shows it")
    return [int(name) for name in names]


def _one(names: list[str], what: str) -> str:
    if len(names) != 1:
        raise SettingError(f"{what}: give one receiver; `robovitals deliveries receivers` lists them")
    return names[0]
