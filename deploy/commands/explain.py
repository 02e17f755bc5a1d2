"""`robovitals explain CODE [COMPONENT]`: why each status is what it is, from which windows and rules."""

import argparse
import asyncio
import difflib
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from rich.console import Console

from deploy.explain import Explained, Look, Reason, Why, last_value_of, lines, look_of, time_of
from deploy.find_robot import find_robot
from deploy.limits_file import limits_from
from deploy.settings import LIMITS, Settings, endpoints
from deploy.standing import standings
from schemas.errors import SettingError, UnavailableError
from schemas.health import ComponentHealth, Evidence, Status
from schemas.limits import Limits
from schemas.robot_code import checked_code, parse_code
from serve import database
from serve.database import RobotState, Stretch

EXAMPLE = "robovitals explain ZZ-SIM0-HUMAN1-00000000000000017 joint/3"

# Stretches of windows before and after the first sign, and before the last; transitions of a component.
BEFORE, AFTER, LATEST, HISTORY = 3, 3, 2, 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", help="the 29-character robot code; hyphens and spaces are left out")
    parser.add_argument(
        "component", nargs="?", help="joint/3, battery, accuracy or robot; without it all that are not NORMAL"
    )
    parser.add_argument("--json", action="store_true", help="print the explanation as JSON")
    parser.epilog = f"Limits are the signal table's, or those of the file that {LIMITS} names, as for assess."


def run(args: argparse.Namespace, settings: Settings) -> int:
    code, limits = checked_code(args.code), limits_from(os.environ)
    explained = asyncio.run(_explained(endpoints(settings).database_url, code, args.component, limits))
    if args.json:
        print(msgspec.json.encode(explained).decode())
        return 0
    console = Console(highlight=False, soft_wrap=True)
    for line in lines(explained, datetime.now(UTC)):
        console.print(line)
    return 0


async def _explained(database_url: str, code: str, wanted: str | None, limits: Limits) -> Explained:
    async with database.connected(database_url) as connection:
        state = await find_robot(connection, code)
        chosen = choose(state, wanted)
        windows = await database.latest_vitals(connection, code, 1)
        newest = windows[0] if windows else None
        components = [await _why(connection, state, component, newest, limits) for component in chosen]
    return Explained(code=parse_code(code), state=state, components=components)


def choose(state: RobotState, wanted: str | None) -> list[ComponentHealth]:
    """The component that was asked for, or all that are not NORMAL; a healthy robot's all."""
    known = state.components or []
    if state.assessed is None:
        raise UnavailableError(
            f"frames of {state.robot_id} have landed, but it was not judged yet: "
            "`robovitals status` says whether the assessor runs"
        )
    if wanted is None:
        return [component for component in known if component.status is not Status.NORMAL] or known
    found = [component for component in known if component.component == wanted]
    if not found:
        names = [component.component for component in known]
        close = difflib.get_close_matches(wanted, names, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise SettingError(f"{state.robot_id} has no component {wanted!r}: {hint}it has {', '.join(names)}")
    return found


async def _why(
    connection: asyncpg.Connection, state: RobotState, component: ComponentHealth, newest: dict[str, Any] | None,
    limits: Limits,
) -> Why:  # fmt: skip
    """`newest`: the robot's last window, by column name."""
    window = timedelta(microseconds=newest["length_us"]) if newest else None
    return Why(
        component=component,
        last_value=last_value_of(component, state),
        reasons=[
            await _reason(connection, state.robot_id, component.component, evidence, window)
            for evidence in component.evidence
        ],
        standings=standings(component.component, newest, limits) if newest else [],
        history=await database.history(connection, state.robot_id, component.component, HISTORY),
    )


async def _reason(
    connection: asyncpg.Connection, code: str, component: str, evidence: Evidence, window: timedelta | None
) -> Reason:
    look = look_of(evidence, component)
    length = (look.length or window) if look else None
    stretches = await _stretches(connection, code, evidence, look, length) if look and length else []
    return Reason(
        evidence=evidence,
        shows=look.words if look else "",
        unit=look.unit if look else "",
        stretch_s=length.total_seconds() if length else 0,
        stretches=stretches,
    )


async def _stretches(
    connection: asyncpg.Connection, code: str, evidence: Evidence, look: Look, length: timedelta
) -> list[Stretch]:
    """Around the first sign, and up to the last where that is later."""
    first = _stretch_of(evidence.since_us, length)
    last = _stretch_of(max(evidence.last_us, evidence.since_us), length)
    around = first - BEFORE * length, first + (AFTER + 1) * length
    found = await database.stretches(connection, code, look.figure, *around, length)
    if last >= around[1]:
        latest = max(around[1], last - (LATEST - 1) * length), last + length
        found += await database.stretches(connection, code, look.figure, *latest, length)
    return found


def _stretch_of(time_us: int, length: timedelta) -> datetime:
    """When the stretch began that a moment lies in: they are multiples of their length."""
    length_us = length // timedelta(microseconds=1)
    return time_of(time_us // length_us * length_us)
