"""`robovitals verify-report`: whether a report is the platform's, and shows what was signed; needs no server."""

import argparse
from collections.abc import Iterable
from pathlib import Path

import msgspec

from deploy.platform_key import read_public_keys
from deploy.settings import Settings
from schemas.errors import SettingError
from serve.report.verify import Checked, check
from serve.report.words import NARROW, minute

EXAMPLE = "robovitals verify-report ZZ….html --keys platform.keys"
CODES = {"PROVEN": 0, "FALSE": 1, "NOT PROVEN": 3}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Exit code 0: the platform signed it, and the page is the one that follows from what was signed, byte "
        "by byte. 1: something is false. 3: nothing is false, but not all could be proven; it says what. Take "
        "the keys from the platform or from somebody you trust, not from the seller."
    )
    parser.add_argument("path", metavar="FILE", help="a report: HTML, JSON or PDF")
    parser.add_argument("--keys", metavar="FILE", help="the platform's public keys, 64 hexadecimal digits a line")
    parser.add_argument("--json", action="store_true", help="print a line of JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    platforms = None if args.keys is None else read_public_keys(Path(args.keys))
    path = Path(args.path)
    try:
        checked = check(path.read_bytes(), platforms)
    except OSError as error:  # 1 is for what is false
        raise SettingError(f"{path}: {error.strerror}") from None
    lines = [_as_json(path, checked)] if args.json else told(path, checked)
    for line in lines:
        print("".join(c if c.isprintable() else "?" for c in line.replace(NARROW, " ")))
    return CODES[checked.word]


def told(path: Path, checked: Checked) -> Iterable[str]:
    """For people: the word first."""
    report = checked.report
    about = f", robot {report.robot_id}, made {minute(report.made_us)}" if report else ""
    yield f"{checked.word}: {path.name}{about}"
    yield from (f"  {text}" for text in checked.faults)
    yield from (f"  not proven: {text}" for text in checked.unproven)
    if report and not checked.faults:
        yield f"  digest {checked.digest}"
        for text in (report.verdict.known, report.verdict.wrong, report.verdict.covered):
            yield f"  {text}"


def _as_json(path: Path, checked: Checked) -> str:
    fields = {
        "file": path.name,
        "word": checked.word,
        "form": checked.form,
        "digest": checked.digest,
        "faults": checked.faults,
        "unproven": checked.unproven,
    }
    return msgspec.json.encode(fields).decode()
