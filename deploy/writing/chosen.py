"""Which robots a command is about: codes, beginnings of codes, a file of codes, a model, serials of parts.

In: arguments. Out: codes, and an entry for each. Called by the commands that write one entry a robot.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import asyncpg

from deploy.writing.submit import Line
from schemas.draft import Draft, Pen
from schemas.errors import SettingError
from schemas.logbook import What, kind_name
from schemas.robot_code import RobotCode, checked_code
from serve.database import ask

_WAYS = ("robot", "prefix", "source", "model", "part_serials")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--robot", nargs="+", default=[], metavar="CODE", help="robots by their codes")
    parser.add_argument("--prefix", metavar="PREFIX", help="every known robot whose code begins so")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="a file with a code a line")


def is_any(args: argparse.Namespace) -> bool:
    return any(getattr(args, way, None) for way in _WAYS)


async def chosen(connection: asyncpg.Connection, args: argparse.Namespace) -> list[RobotCode]:
    """Each once, in order. Raises SettingError where there is none."""
    found = [*map(checked_code, args.robot), *_listed(args.source)]
    if args.prefix:
        found += await _named(connection, "robots_with_prefix", args.prefix.replace("-", "").replace(" ", ""))
    if getattr(args, "model", None):
        found += await _named(connection, "robots_of_model", args.model)
    if getattr(args, "part_serials", None):
        found += await _named(connection, "robots_with_parts", _lines(args.part_serials))
    if not found:
        raise SettingError("no robot is meant: give --robot, --prefix or --from FILE, or another that fits some")
    return sorted(dict.fromkeys(found))


async def _named(connection: asyncpg.Connection, question: str, what: object) -> list[RobotCode]:
    return [RobotCode(row["robot_id"]) for row in await ask(connection, question, what)]


def _listed(path: Path | None) -> list[RobotCode]:
    return [] if path is None else [checked_code(line) for line in _lines(path)]


def _lines(path: Path) -> Sequence[str]:
    return [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]


def one_each(
    codes: Sequence[RobotCode], pen: Pen, kind: type[What], values: Mapping[str, object]
) -> Iterator[tuple[int, Line]]:
    """The same entry for each robot, as of now; where it was written before, it is the same again."""
    for number, code in enumerate(codes, 1):
        draft = Draft(robot_id=code, kind=kind_name(kind), values=values)
        yield number, Line(number, (pen.write_again(draft, time.time_ns() // 1000),))
