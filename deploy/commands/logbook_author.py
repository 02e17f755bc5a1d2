"""`robovitals logbook author|revoke-key`: who may write in which robots' logbooks."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from deploy.platform_key import known_platforms, needed_platform_key
from deploy.settings import Settings, endpoints
from deploy.signing_key import create_key, read_key
from deploy.writing import chosen
from deploy.writing.outcome import submit, told
from schemas.draft import Pen, time_us
from schemas.errors import SettingError
from schemas.logbook import KeyRegistered, KeyRevoked, Role, What
from schemas.robot_code import RobotCode
from schemas.signing import PublicKey, public_key
from serve import database

EXAMPLE = "robovitals logbook author 'Workshop Graz' --role workshop --out graz.key --prefix ZZSIM0"

ROLES = [role.value for role in Role if role is not Role.PLATFORM]


def add_parsers(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "make an author's key, and let it write in robots' logbooks"
    author = actions.add_parser("author", help=text, description=text)
    author.set_defaults(acted=_author)
    author.add_argument("name", metavar="NAME", help="what the logbooks call its holder: a firm, never a person")
    author.add_argument("--role", choices=ROLES, required=True, help=", ".join(ROLES))
    author.epilog = (
        "Without robots the key is only made: whoever will sign with it does that, and sends the public half to "
        "the platform, which registers it with --public."
    )
    key = author.add_mutually_exclusive_group(required=True)
    key.add_argument(
        "--out", type=Path, metavar="FILE", help="a new file for its private key, for nobody else's eyes"
    )
    key.add_argument("--key", type=Path, metavar="FILE", help="the file of a key that is there already")
    key.add_argument("--public", metavar="HEX", help="the public half of a key that somebody else has")
    _add_robots(author)
    text = "from now on a key may not write any more; what it wrote stays"
    revoke = actions.add_parser("revoke-key", help=text, description=text)
    revoke.set_defaults(acted=_revoke)
    revoke.add_argument("public", metavar="HEX", help="its public half, as `robovitals logbook show` prints it")
    revoke.add_argument("--reason", required=True, metavar="TEXT")
    revoke.add_argument(
        "--since", metavar="TIME", help="what it wrote from then on is in doubt (default: nothing is)"
    )
    _add_robots(revoke)


def _add_robots(parser: argparse.ArgumentParser) -> None:
    chosen.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")


def _author(args: argparse.Namespace, settings: Settings) -> int:
    pen = Pen(needed_platform_key(settings)) if chosen.is_any(args) else None
    if args.public:
        public = _public(args.public)
    else:
        if args.out is not None:
            create_key(args.out)
        public = public_key(read_key(args.out or args.key))
    if not args.json:
        print(public)
    if pen is None:
        return 0
    values = {"key": public, "role": args.role, "holder": args.name}
    return _written(args, settings, pen, KeyRegistered, values)


def _revoke(args: argparse.Namespace, settings: Settings) -> int:
    pen = Pen(needed_platform_key(settings))
    values: dict[str, object] = {"key": _public(args.public), "reason": args.reason}
    if args.since:
        values["since"] = time_us("--since", args.since)
    return _written(args, settings, pen, KeyRevoked, values)


def _written(
    args: argparse.Namespace, settings: Settings, pen: Pen, kind: type[What], values: dict[str, object]
) -> int:
    """One entry a robot. The same again is there already."""
    servers = endpoints(settings)
    codes = asyncio.run(_codes(servers.database_url, args, str(values["key"])))
    lines = chosen.one_each(codes, pen, kind, values)
    outcome = submit(servers, lines, known_platforms(settings), whole=len(codes))
    return told(outcome, "robot", args.json)


async def _codes(database_url: str, args: argparse.Namespace, key: str) -> Sequence[RobotCode]:
    """Those that are named; to revoke, else those that know the key."""
    async with database.connected(database_url) as connection:
        if chosen.is_any(args):
            return await chosen.chosen(connection, args)
        rows = await database.ask(connection, "robots_with_key", key.encode())
    if not rows:
        raise SettingError(f"no logbook has registered the key {key[:16]}…")
    return [RobotCode(row["robot_id"]) for row in rows]


def _public(text: str) -> str:
    try:
        return msgspec.convert(text.strip().lower(), PublicKey)
    except msgspec.ValidationError:
        raise SettingError(f"{text[:80]!r} is no public key: give its 64 hexadecimal digits") from None
