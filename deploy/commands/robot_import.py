"""`robovitals robot import robots.csv`: robots into the registry, many at a time."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from deploy.platform_key import known_platforms, needed_platform_key
from deploy.settings import Settings, endpoints
from deploy.signing_key import read_key
from deploy.writing.lines import count_lines, read_table
from deploy.writing.outcome import submit, told
from deploy.writing.robots import COLUMNS, drafts_of, is_column
from deploy.writing.submit import Line
from schemas.draft import Draft, Pen
from schemas.errors import SettingError
from schemas.logbook import KINDS, WRITERS, KeyRegistered, Role, kind_name

EXAMPLE = "robovitals robot import robots.csv --key maker.key --holder 'ACME Robotics'"


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "register robots, with their parts, baselines, owners and operators, from a CSV"
    parser = actions.add_parser("import", help=text, description=text)
    parser.set_defaults(acted=run)
    parser.add_argument("file", type=Path, metavar="FILE", help=f"a CSV with columns {', '.join(COLUMNS)}")
    parser.add_argument(
        "--key", type=Path, metavar="FILE",
        help="the maker's private key, which signs; without it the platform signs, which may not tell of parts",
    )  # fmt: skip
    parser.add_argument(
        "--holder",
        metavar="NAME",
        help="the maker's name: the platform registers the key where it is not known yet",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, say what would be refused")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")
    parser.epilog = (
        "Further columns: joint/3, battery … hold the serial of the part that is there, joint/3.part what part it "
        "is, and baseline.NAME what was measured at commissioning. A line is written whole or not at all; those "
        "that are refused are listed with their numbers. The same file again writes nothing again."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    platform = Pen(needed_platform_key(settings))
    maker = None if args.key is None else Pen(read_key(args.key))
    if args.holder and maker is None:
        raise SettingError("--holder: give --key too, the file of the maker's key")
    lines = _lines(args.file, platform, maker, args.holder)
    whole = count_lines(args.file) - 1
    outcome = submit(endpoints(settings), lines, known_platforms(settings), args.check, whole)
    return told(outcome, "line", args.json, args.check)


def _lines(path: Path, platform: Pen, maker: Pen | None, holder: str | None) -> Iterator[tuple[int, Line | str]]:
    seen: dict[str, int] = {}
    for number, row in read_table(path, COLUMNS, is_column):
        try:
            if isinstance(row, str):
                raise SettingError(row)
            drafts = drafts_of(row)
            first = seen.setdefault(drafts[0].robot_id, number)
            if first != number:
                raise SettingError(f"line {first} is about the same robot")
            yield number, _line(number, drafts, platform, maker, holder)
        except SettingError as error:
            yield number, str(error)


def _line(number: int, drafts: tuple[Draft, ...], platform: Pen, maker: Pen | None, holder: str | None) -> Line:
    """Raises SettingError."""
    now_us = time.time_ns() // 1000
    if maker is None:
        for draft in drafts:
            if Role.PLATFORM not in WRITERS[KINDS[draft.kind]]:
                raise SettingError(f"{draft.kind} is for the maker to sign: --key FILE")
        return Line(number, tuple(platform.write_again(draft, now_us) for draft in drafts))
    entries = [maker.write_again(draft, now_us) for draft in drafts]
    if holder:
        values = {"key": maker.public, "role": Role.MAKER.value, "holder": holder}
        known = Draft(robot_id=drafts[0].robot_id, kind=kind_name(KeyRegistered), values=values)
        entries.insert(0, platform.write_again(known, now_us))
    return Line(number, tuple(entries))
