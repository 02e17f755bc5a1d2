"""`robovitals logbook show CODE`: what a robot's logbook says, entry by entry."""

import argparse
import asyncio

import msgspec
from rich.console import Console
from rich.text import Text

from deploy.settings import Settings, endpoints
from schemas.errors import UnavailableError
from schemas.robot_code import RobotCode, checked_code, format_code
from serve import database
from serve.logbook import opened_of, records_of
from serve.logbook_view import EntryLine, lines_of

EXAMPLE = "robovitals logbook show ZZ-SIM0-HUMAN1-00000000000000017"
CORRECTED, MARK = "strike dim", "yellow"


def add_parsers(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "what a logbook says, entry by entry: who wrote what when, what is late, what was taken back"
    parser = actions.add_parser("show", help=text, description=text)
    parser.set_defaults(acted=run)
    parser.add_argument("code", help="the 29-character robot code; hyphens and spaces are left out")
    parser.add_argument("--json", action="store_true", help="print the entries as JSON")
    parser.epilog = (
        "Nothing is verified here: `robovitals verify-log` does that. A name that was erased reads (erased)."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    code = checked_code(args.code)
    lines = asyncio.run(_lines(endpoints(settings).database_url, code))
    if args.json:
        print(msgspec.json.encode(lines).decode())
    else:
        _print(code, lines)
    return 0


async def _lines(database_url: str, code: RobotCode) -> list[EntryLine]:
    async with database.connected(database_url) as connection:
        records = await records_of(connection, code)
        if not records:
            raise UnavailableError(f"robot {code} has no logbook: `robovitals robot import` registers robots")
        return lines_of(code, records, await opened_of(connection, code))


def _print(code: RobotCode, lines: list[EntryLine]) -> None:
    console = Console(highlight=False)
    console.print(f"Logbook of {format_code(code)}, {len(lines)} entries")
    width = max(len(line.kind) for line in lines)
    for line in lines:
        style = CORRECTED if line.corrected_by else ""
        author = f"{line.holder or line.author[:16] + '…'} ({line.role or 'nobody known'})"
        head = f"{line.number:4}  {line.happened:%Y-%m-%d %H:%M}  {line.kind:{width}}  {author}"
        marks = "".join(f"  [{mark}]" for mark in marks_of(line))
        console.print(Text(_printable(head), style="bold") + Text(marks, style=MARK), soft_wrap=True)
        for text in _told(line):
            console.print(Text(f"      {_printable(text)}", style=style), soft_wrap=True)


def _told(line: EntryLine) -> list[str]:
    runtime = "" if line.runtime_s is None else f" (at {line.runtime_s / 3600:.1f} h of running)"
    files = [f"file {one.name}, {one.size_bytes} bytes, SHA-256 {one.sha256}" for one in line.attachments]
    return [line.text + runtime, *files]


def marks_of(line: EntryLine) -> list[str]:
    """What is to be said beside an entry."""
    marks = [f"late, received {line.received:%Y-%m-%d}"] if line.late else []
    return [*marks, *([f"corrected by {line.corrected_by}"] if line.corrected_by else [])]


def _printable(text: str) -> str:
    """An author's texts must not steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
