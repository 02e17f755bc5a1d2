"""`robovitals verify-log`: hold logbooks against signatures, chain and checkpoints: files without a server, or the
database's own.
"""

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from deploy.platform_key import read_public_keys
from deploy.settings import Settings
from schemas.checkpoint import Published, decode_published
from schemas.errors import RejectError, SettingError
from schemas.logbook_check import Verdict, check_logbook
from schemas.robot_code import RobotCode, checked_code

EXAMPLE = "robovitals verify-log ZZ….logbook.jsonl --keys platform.keys --checkpoint checkpoints.jsonl"
ENDING = ".logbook.jsonl"
FALSE = 1
UNPROVEN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Names each fault with its entry's number. The exit code is 0 where all is proven, 1 where something is "
        "false, 3 where nothing is false but not all could be proven: then it says what. A checkpoint that you "
        "kept, or had from somebody else than the seller, is what shows a tail that was cut off. The files are "
        "described in docs/logbook.md."
    )
    parser.add_argument(
        "path",
        metavar="FILE|CODE",
        help=f"an exported logbook, or a directory of CODE{ENDING}; or a robot's code: its logbook in the "
        "database, with its tables, against the stack's own keys and checkpoints where none are given",
    )
    parser.add_argument("--checkpoint", metavar="FILE", help="the platform's checkpoints, or one line of them")
    parser.add_argument("--keys", metavar="FILE", help="the platform's public keys, 64 hexadecimal digits a line")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each logbook")


def run(args: argparse.Namespace, settings: Settings) -> int:
    platforms = None if args.keys is None else _keys(Path(args.keys))
    published = [] if args.checkpoint is None else read_checkpoints(Path(args.checkpoint))
    if not Path(args.path).exists() and (code := _code(args.path)) is not None:
        from deploy.verify_stored import verify_stored  # needs what a checker of files does not

        verdict, notes = verify_stored(settings, code, platforms, published)
        _print([_as_json(code, verdict)] if args.json else [*told(code, verdict), *notes])
        return code_of(verdict)
    codes = set()
    for path in _files(Path(args.path)):
        try:
            verdict = check_logbook(path.read_bytes(), platforms, published)
        except OSError as error:  # 1 is for what is false
            raise SettingError(f"{path}: {error.strerror}") from None
        except RejectError as error:
            raise SettingError(f"{path}: {error.detail}") from None
        _print([_as_json(path.name, verdict)] if args.json else told(path.name, verdict))
        codes.add(code_of(verdict))
    return FALSE if FALSE in codes else max(codes)


def _code(text: str) -> RobotCode | None:
    try:
        return checked_code(text)
    except SettingError:
        return None


def _keys(path: Path) -> frozenset[str]:
    try:
        return read_public_keys(path)
    except SettingError as error:
        raise SettingError(f"--keys {error}") from None


def read_checkpoints(path: Path) -> list[Published]:
    """One a line, as the platform published them. Raises SettingError."""
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found.append(decode_published(line))
        except RejectError as error:
            raise SettingError(f"--checkpoint {path}: line {number} is no checkpoint: {error.detail}") from None
    if not found:
        raise SettingError(f"--checkpoint {path}: there is no checkpoint in it")
    return found


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.glob(f"*{ENDING}"))
    if not files:
        raise SettingError(f"{path}: no file in it ends in {ENDING}")
    return files


def code_of(verdict: Verdict) -> int:
    """The exit code for one logbook."""
    if not verdict.is_sound:
        return FALSE
    return 0 if verdict.is_proven else UNPROVEN


def told(name: str, verdict: Verdict) -> Iterable[str]:
    """A verdict for people: its word first."""
    word = {0: "PROVEN", FALSE: "FALSE", UNPROVEN: "NOT PROVEN"}[code_of(verdict)]
    yield f"{word}: {name}, robot {verdict.robot_id or '?'}, {verdict.entries} entries"
    for found in verdict.faults:
        yield f"  {f'entry {found.number}' if found.number else 'the file'}: {found.fault}: {found.text}"
    for text in verdict.unproven:
        yield f"  not proven: {text}"
    if verdict.anchored:
        time = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=verdict.anchored_us)).isoformat(
            " ", "minutes"
        )
        yield f"  up to entry {verdict.anchored} as it was at the checkpoint of {time}"
    if verdict.late:
        yield f"  written long after the fact: {', '.join(f'entry {number}' for number in verdict.late)}"


def _as_json(name: str, verdict: Verdict) -> str:
    fields = {"file": name, "proven": verdict.is_proven, **msgspec.to_builtins(verdict)}
    return msgspec.json.encode(fields).decode()


def _print(lines: Iterable[str]) -> None:
    print(*map(printable, lines), sep="\n")


def printable(line: str) -> str:
    """A file's texts must not steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in line)
