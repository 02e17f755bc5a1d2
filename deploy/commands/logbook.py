"""`robovitals logbook …`: the platform's side of robots' logbooks: its key, checkpoints, exports, erasure."""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg

from deploy.checkpoints import checkpointer, checkpoints_file
from deploy.commands import logbook_author, logbook_import, logbook_recall, logbook_show, logbook_write
from deploy.erasing import Erased, erase
from deploy.platform_key import (
    create_platform_key,
    needed_platform_key,
    platform_key_file,
    public_keys_file,
    read_platform_key,
)
from deploy.settings import CHECKPOINTS, PLATFORM_KEY, Settings, endpoints
from schemas.checkpoint import Published
from schemas.errors import RetryError, SettingError, UnavailableError
from schemas.robot_code import checked_code
from schemas.signing import public_key
from serve import database
from serve.logbook_export import Stored, read_logbook

WRITING = (logbook_author, logbook_write, logbook_import, logbook_recall, logbook_show)
EXAMPLE = "\n  ".join(
    [
        "robovitals logbook export ZZ-SIM0-HUMAN1-00000000000000017 --out robot-17.logbook.jsonl",
        *(one.EXAMPLE for one in WRITING),
    ]
)

Work = Callable[[argparse.Namespace, Settings], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        f"The platform's key is a file ({PLATFORM_KEY}, else platform_key in the home). Its public half, with "
        "those of the keys before it, is in platform.keys beside it: that is what a checker is given. "
        f"{CHECKPOINTS} names the file of checkpoints (else checkpoints.jsonl in the home)."
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    key = _action(actions, "key", "show the platform's public key; make the key where there is none", _key)
    key.add_argument("file", nargs="?", type=Path, help=f"(default: as {PLATFORM_KEY} says, else in the home)")
    for one in WRITING:
        one.add_parsers(actions)
    text = "make a checkpoint of all logbooks now, if anything is new, and publish what is not published yet"
    _action(actions, "checkpoint", text, _checkpoint)
    export = _action(actions, "export", "write a robot's logbook to a file that everybody can check", _export)
    export.add_argument("code", help="the 29-character robot code; hyphens and spaces are left out")
    export.add_argument("--out", type=Path, metavar="FILE", help="(default: stdout)")
    export.add_argument("--no-names", action="store_true", help="leave out owners, operators, sites and who did it")
    text = "erase names behind a logbook's entries for good; the entries stay, and can be checked as before"
    erasing = _action(actions, "erase", text, _erase)
    erasing.add_argument("code", nargs="?", help="of this robot (default: of all, which needs --value)")
    erasing.add_argument("--entry", type=int, metavar="N", help="only what this entry names")
    erasing.add_argument("--value", metavar="TEXT", help="only where it is exactly this")
    erasing.add_argument("--reason", required=True, metavar="TEXT", help="kept, with who did it and when")


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, work: Work
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    parser.set_defaults(acted=work)
    return parser


def run(args: argparse.Namespace, settings: Settings) -> int:
    work: Work = args.acted
    return work(args, settings)


def _key(args: argparse.Namespace, settings: Settings) -> int:
    """Raises SettingError where a file that was named is there already."""
    if args.file is not None:
        print(public_key(create_platform_key(args.file)))
        return 0
    path = platform_key_file(settings)
    key = read_platform_key(settings) if path.exists() else create_platform_key(path)
    assert key is not None
    print(f"{public_key(key)}  # {path}; for checkers: {public_keys_file(settings)}")
    return 0


def _checkpoint(args: argparse.Namespace, settings: Settings) -> int:
    needed_platform_key(settings)
    line = asyncio.run(_made(settings))
    path = checkpoints_file(settings)
    if line is None:
        print(f"nothing is new since the last checkpoint: {path}")
    else:
        print(f"checkpoint {line.checkpoint.size} of {line.checkpoint.heads} logbooks: {path}")
    return 0


async def _made(settings: Settings) -> Published | None:
    makes = checkpointer(settings)
    assert makes is not None, "the key was needed"
    async with database.connected(endpoints(settings).database_url) as connection:
        try:
            line = await makes.make(connection)
            await makes.publish(connection)
        except RetryError as error:
            raise UnavailableError(f"{error}; the file has it, the topic will") from None
        except asyncpg.PostgresError as error:
            raise UnavailableError(f"the database says: {error}") from None
    return line


def _export(args: argparse.Namespace, settings: Settings) -> int:
    code = checked_code(args.code)
    stored = asyncio.run(_read(settings, code))
    if not stored.rows:
        raise SettingError(f"robot {code} has no logbook")
    data = stored.file(personal=not args.no_names)
    if args.out is None:
        sys.stdout.buffer.write(data)
        return 0
    args.out.write_bytes(data)
    anchored = (
        "no checkpoint has it yet" if stored.anchor is None else f"checkpoint {stored.anchor.checkpoint.size}"
    )
    print(f"{len(stored.rows)} entries, {anchored}: {args.out}")
    return 0


async def _read(settings: Settings, code: str) -> Stored:
    async with (
        database.connected(endpoints(settings).database_url) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await read_logbook(connection, code)


def _erase(args: argparse.Namespace, settings: Settings) -> int:
    if args.code is None and args.value is None:
        raise SettingError("name a robot, or with --value what is to be erased of all robots")
    if args.code is None and args.entry is not None:
        raise SettingError("--entry is of one robot: name it")
    code = None if args.code is None else checked_code(args.code)
    done = asyncio.run(_erased(settings, code, args))
    for robot_id, number in dict.fromkeys(done.openings):
        print(f"robot {robot_id}, entry {number}: erased")
    if done.refused:
        print(f"taken out of {done.refused} refused entries")
    if not done.openings and not done.refused:
        raise SettingError("nothing that is kept matches: robovitals logbook export CODE shows what is")
    return 0


async def _erased(settings: Settings, code: str | None, args: argparse.Namespace) -> Erased:
    async with database.connected(endpoints(settings).database_url) as connection:
        return await erase(connection, code, args.entry, args.value, getpass.getuser(), args.reason)
