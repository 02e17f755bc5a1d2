"""`robovitals verify-bundle`: hold an exported incident against its signature and hashes; needs no server."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import msgspec

from deploy.commands.verify_log import FALSE, UNPROVEN, printable
from deploy.platform_key import read_public_keys
from deploy.settings import Settings
from schemas.bundle import Checked, check_bundle
from schemas.errors import RejectError, SettingError
from schemas.logbook_check import Verdict, check_logbook

EXAMPLE = "robovitals verify-bundle incident.zip --keys platform.keys"
LOGBOOK = "logbook.jsonl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Names each file that was changed, is missing or was added. The exit code is 0 where all is proven, 1 "
        "where something is false, 3 where nothing is false but not all could be proven. Get platform.keys from "
        "the platform, not from whoever gave you the bundle. The logbook in it is checked as verify-log does."
    )
    parser.add_argument("path", metavar="FILE.zip", type=Path)
    parser.add_argument("--keys", metavar="FILE", type=Path, help="the platform's public keys, one a line")
    parser.add_argument("--json", action="store_true", help="print a line of JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    platforms = None if args.keys is None else read_public_keys(args.keys)
    try:
        data = args.path.read_bytes()
    except OSError as error:  # 1 is for what is false
        raise SettingError(f"{args.path}: {error.strerror}") from None
    checked = check_bundle(data, platforms)
    logbook = _logbook(checked, platforms)
    code = code_of(checked, logbook)
    lines = [_as_json(args.path, checked, logbook)] if args.json else told(args.path, checked, logbook)
    print(*map(printable, lines), sep="\n")
    return code


def code_of(checked: Checked, logbook: Verdict | None) -> int:
    """The logbook's tail may be unproven: the bundle says what was there then."""
    if checked.faults or (logbook is not None and not logbook.is_sound):
        return FALSE
    return 0 if checked.is_proven else UNPROVEN


def told(path: Path, checked: Checked, logbook: Verdict | None) -> Iterator[str]:
    """For people: the word first."""
    word = {0: "PROVEN", FALSE: "FALSE", UNPROVEN: "NOT PROVEN"}[code_of(checked, logbook)]
    about = checked.manifest
    whose = (
        f"incident {about.incident_id}, robot {about.robot_id}, {len(about.files)} files" if about else "no bundle"
    )
    yield f"{word}: {path.name}, {whose}"
    for fault in checked.faults:
        yield f"  {fault}"
    for text in checked.unproven:
        yield f"  not proven: {text}"
    if logbook is not None:
        yield f"  {LOGBOOK}: {logbook.entries} entries, {'sound' if logbook.is_sound else 'FALSE'}"
        for found in logbook.faults:
            yield f"    entry {found.number}: {found.fault}: {found.text}"


def _logbook(checked: Checked, platforms: frozenset[str] | None) -> Verdict | None:
    data = checked.files.get(LOGBOOK)
    try:
        return None if data is None else check_logbook(data, platforms)
    except RejectError:
        return None  # of a later version: it is as the platform signed it, and no more is known


def _as_json(path: Path, checked: Checked, logbook: Verdict | None) -> str:
    fields = {
        "file": path.name,
        "proven": code_of(checked, logbook) == 0,
        "manifest": checked.manifest,
        "faults": checked.faults,
        "unproven": checked.unproven,
        "logbook": logbook,
    }
    return msgspec.json.encode(fields).decode()
