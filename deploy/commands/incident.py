"""`robovitals incident …`: freeze what was around a moment, say what it points to, export it signed."""

import argparse
import asyncio
import getpass
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec
from fastapi import HTTPException
from prometheus_client import CollectorRegistry

from deploy.find_robot import find_robot
from deploy.incidents import keeper
from deploy.platform_key import known_platforms, needed_platform_key
from deploy.settings import Settings, endpoints
from processors.incident import freeze, tables
from processors.incident.gather import Frozen
from processors.incident.keep import PATIENCE
from processors.retain_metrics import RetainMetrics
from schemas.errors import RejectError, SettingError, UnavailableError
from schemas.incident import Stance
from schemas.robot_code import checked_code
from serve import database
from serve.incident_bundle import bundle
from serve.incidents import Incident, IncidentLine, incident, incident_list

EXAMPLE = "robovitals incident open ZZ-SIM0-HUMAN1-00000000000000017 --at 2026-11-24T08:00:00Z --note 'fell over'"
LOOK_EVERY_S = 0.5
AHEAD = timedelta(seconds=60)

Work = Callable[[asyncpg.Connection, argparse.Namespace, Settings], Awaitable[str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Frozen are the frames from 30 s before until 10 s after, alarms with their acknowledgements, health, "
        "maintenance as it stood, and the logbook; no retention touches them. A fault-mode frame opens one by "
        "itself (`robovitals retain`). docs/incident.md says what the verdict rests on."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    opening = _action(actions, "open", "freeze what was around a moment of a robot", _open)
    opening.add_argument("code", metavar="CODE")
    opening.add_argument("--at", required=True, metavar="TIME", help="ISO 8601, UTC where it names no zone; or now")
    opening.add_argument("--note", default="", metavar="TEXT", help="what happened; no names of people")
    opening.add_argument("--no-wait", action="store_true", help="`robovitals retain` completes it")
    listing = _action(actions, "list", "incidents, the newest first", _list)
    listing.add_argument("code", nargs="?", metavar="CODE")
    _with_id(_action(actions, "show", "one incident: verdict, evidence for and against, data", _show))
    adding = _with_id(
        _action(actions, "append", "add what came later, and a note; marked, never merged in", _append)
    )
    adding.add_argument("--note", metavar="TEXT", help="no names of people")
    exporting = _with_id(_action(actions, "export", "a signed bundle, for `robovitals verify-bundle`", _export))
    exporting.add_argument("--out", required=True, type=Path, metavar="FILE.zip")
    for one in (*actions.choices.values(),):
        one.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    try:
        print(asyncio.run(_connected(args, settings)))
    except HTTPException as error:
        raise UnavailableError(f"{error.detail} (robovitals incident list)") from None
    return 0


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, work: Work
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    parser.set_defaults(work=work)
    return parser


def _with_id(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("incident", metavar="ID")
    return parser


async def _connected(args: argparse.Namespace, settings: Settings) -> str:
    work: Work = args.work
    async with database.connected(endpoints(settings).database_url) as connection:
        return await work(connection, args, settings)


async def _open(connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings) -> str:
    code, at = checked_code(args.code), _time(args.at)
    if at > datetime.now(UTC) + AHEAD:
        raise SettingError(f"--at {args.at}: that is still to come")
    await find_robot(connection, code)
    incident_id = secrets.token_hex(16)
    await tables.open_incident(connection, incident_id, code, at, getpass.getuser(), args.note)
    if not args.no_wait:
        await _completed(connection, incident_id, at, settings)
    return _told(args, await incident(connection, incident_id))


async def _completed(connection: asyncpg.Connection, incident_id: str, at: datetime, settings: Settings) -> None:
    """Until its window has landed, or nothing more of it is to be expected. The keeper may be first."""
    registry = RetainMetrics.create(CollectorRegistry())
    keeping = keeper(settings, endpoints(settings), registry)
    until_s = time.monotonic() + max((at - datetime.now(UTC)).total_seconds(), 0) + PATIENCE.total_seconds() + 30
    while time.monotonic() < until_s:
        await keeping.complete(connection, datetime.now(UTC), incident_id)
        if (await incident(connection, incident_id)).completed is not None:
            return
        await asyncio.sleep(LOOK_EVERY_S)
    raise UnavailableError(
        f"incident {incident_id} is open, and its window has not landed yet: `robovitals status`"
    )


async def _list(connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings) -> str:
    found = await incident_list(connection, checked_code(args.code) if args.code else None, 1000)
    if args.json:
        return _json(found)
    return "\n".join(map(_line, found)) or "no incidents"


async def _show(connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings) -> str:
    return _told(args, await incident(connection, args.incident))


async def _append(connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings) -> str:
    shown = await incident(connection, args.incident)
    if shown.completed is None:
        raise UnavailableError(f"incident {args.incident} is not completed yet: what comes now is part of it")
    about = tables.Incident(shown.incident_id, shown.robot_id, shown.at, shown.opened_by, True)
    count = await freeze.append(connection, about, known_platforms(settings))
    if args.note:
        now = datetime.now(UTC)
        content = msgspec.json.encode({"author": getpass.getuser(), "text": args.note}).decode()
        await freeze.note(connection, about, Frozen(f"note/{secrets.token_hex(8)}", "note", now, content))
    return f"{count} frames and records that came later{', and a note' if args.note else ''}: appended and marked"


async def _export(connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings) -> str:
    key = needed_platform_key(settings)
    try:
        data = await bundle(connection, args.incident, key)
    except RejectError as error:
        raise SettingError(f"incident {args.incident}: {error.detail}") from None
    part = args.out.with_name(f"{args.out.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, args.out)
    finally:
        part.unlink(missing_ok=True)
    return f"{args.out}: {len(data) / 1024:.0f} KiB; check it with `robovitals verify-bundle {args.out} --keys …`"


def _time(text: str) -> datetime:
    if text == "now":
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(f"--at {text!r}: give a time as 2026-11-24T08:00:00Z, or now") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _told(args: argparse.Namespace, shown: Incident) -> str:
    return _json(shown) if args.json else "\n".join(_lines(shown))


def _json(document: object) -> str:
    return msgspec.json.encode(document).decode()


def _line(one: IncidentLine) -> str:
    what = (one.verdict if one.completed else "its window is awaited") + (f", {one.part}" if one.part else "")
    return f"{one.incident_id}  {one.at:%Y-%m-%d %H:%M:%S}  {one.robot_id}  {what}  ({one.text or one.opened_by})"


def _lines(shown: Incident) -> Iterator[str]:
    yield f"incident {shown.incident_id} of {shown.robot_id}, {shown.at:%Y-%m-%d %H:%M:%S.%f} UTC"
    yield f"opened by {shown.opened_by}: {shown.text or 'no note'}"
    if shown.evidence is None:
        yield "its window is awaited: `robovitals retain` completes it"
        return
    yield f"{shown.verdict}{f', {shown.part}' if shown.part else ''}"
    yield from (f"  because: {text}" for text in shown.evidence.because)
    for stance in Stance:
        for piece in shown.evidence.pieces:
            if piece.stance is stance:
                fits = "" if piece.decisive else ", fits only"
                yield f"  {stance} {piece.cause}: {piece.text} ({piece.kind}{fits}; {', '.join(piece.records)})"
    for other in shown.evidence.others:
        yield f"  not excluded: {other.name}{f': {other.sign}' if other.sign else ''}"
    quality = shown.evidence.quality
    yield f"  data: {shown.frames} frames at {quality.rate_hz} Hz, {quality.missing} missing"
    yield from (f"  data: {text}" for text in (*quality.problems, *quality.notes))
    if shown.appended_frames:
        yield f"  came later: {shown.appended_frames} frames, which are no part of the verdict"
