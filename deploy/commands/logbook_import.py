"""`robovitals logbook import FILE`: many entries over many robots, from a CSV or JSON lines."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from deploy.platform_key import known_platforms
from deploy.settings import Settings, endpoints
from deploy.signing_key import read_key
from deploy.writing.lines import count_lines, read_drafts
from deploy.writing.outcome import submit, told
from deploy.writing.submit import Line
from schemas.draft import Pen
from schemas.errors import SettingError

EXAMPLE = "robovitals logbook import services.csv --key workshop.key --check"


def add_parsers(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "write many entries over many robots, from a CSV or JSON lines"
    parser = actions.add_parser("import", help=text, description=text)
    parser.set_defaults(acted=run)
    parser.add_argument("file", type=Path, metavar="FILE", help="*.csv, or else a JSON object a line")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the author's private key")
    parser.add_argument("--check", action="store_true", help="write nothing, say what would be refused")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")
    parser.epilog = (
        "A line has code, kind, happened, maybe runtime_s, and the fields of its kind as `robovitals logbook write "
        "--help` lists them. Lines that are refused are listed with their numbers; the others are written. A line "
        "that was written before is not written again, so the same command goes on after an interruption."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    lines, whole = _lines(args.file, Pen(read_key(args.key))), count_lines(args.file)
    outcome = submit(endpoints(settings), lines, known_platforms(settings), args.check, whole)
    return told(outcome, "line", args.json, args.check)


def _lines(path: Path, pen: Pen) -> Iterator[tuple[int, Line | str]]:
    seen: dict[str, int] = {}
    for number, draft in read_drafts(path):
        if isinstance(draft, str):
            yield number, draft
            continue
        try:
            written = pen.write_again(draft, time.time_ns() // 1000)
        except SettingError as error:
            yield number, str(error)
            continue
        first = seen.setdefault(written.signed.entry.id, number)
        yield number, Line(number, (written,)) if first == number else f"it says the same as line {first}"
