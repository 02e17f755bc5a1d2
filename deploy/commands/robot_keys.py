"""`robovitals robot register|rotate|revoke|list|policy|master`: which robot may be believed to be which."""

import argparse
import asyncio
import getpass
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from deploy import robot_keys
from deploy.durations import seconds
from deploy.master_print import adopt, agree
from deploy.robot_credentials import Credentials, SecretFile, as_toml
from deploy.robot_keys import Key, MakeUser, Policy
from deploy.seal_master import create_master, master_file, read_master
from deploy.settings import SEAL_MASTER, Settings, endpoints
from schemas.errors import SettingError
from schemas.kafka import Kafka
from schemas.keyring import EVERY_MAKER, POLICIES, TAKES_EFFECT_S
from schemas.robot_code import RobotCode, checked_code
from schemas.seal import derive_key
from serve import database

if TYPE_CHECKING:
    from deploy.robot_users import RobotUsers

EXAMPLE = "robovitals robot register ZZ-SIM0-HUMAN1-00000000000000017 --out robot-17.toml"
OVERLAP = "1d"

Work = Callable[[asyncpg.Connection, argparse.Namespace, Settings], Awaitable[str]]
Give = Callable[[RobotCode, MakeUser | None], Awaitable[int]]


def add_parsers(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    register = _action(actions, "register", "give robots their first key; its secret is shown once", _register)
    rotate = _action(actions, "rotate", "give robots another key; the one before stays good for a while", _rotate)
    rotate.add_argument(
        "--overlap", default=OVERLAP, metavar="TIME", help=f"how long the old key stays good (default {OVERLAP})"
    )
    rotate.epilog = (
        "Where Kafka knows users, the old one is let in until the first command of keys after the old key's end: "
        "`robovitals robot tidy` does nothing else, for a timer. Frames under the old key are refused from "
        "its end on, whoever sends them."
    )
    for giving in (register, rotate):
        _add_codes(giving)
        giving.add_argument(
            "--quota", type=int, metavar="BYTES", help="how much each may send a second, where Kafka knows users"
        )
        giving.add_argument(
            "--out",
            type=Path,
            metavar="PATH",
            help="a new file, or for several robots a directory (default: stdout)",
        )
    ends = f"end all keys of robots, within {TAKES_EFFECT_S:.0f} s; what landed before stays"
    _add_codes(_action(actions, "revoke", ends, _revoke))
    _action(actions, "tidy", "take the users of keys that have ended away from Kafka, for a timer to call", _tidy)
    listed = _action(actions, "list", "who has which key, since when, and uses which", _list)
    listed.add_argument("prefix", nargs="?", default="", help="only robots whose code begins so")
    listed.add_argument("--json", action="store_true", help="print them as JSON")
    about = f"whose frames must be sealed; a change holds after {TAKES_EFFECT_S:.0f} s. Without a word: what holds"
    policy = _action(actions, "policy", about, _policy)
    policy.add_argument("policy", nargs="?", choices=POLICIES)
    policy.add_argument(
        "--maker", default=EVERY_MAKER, help="characters 3 to 6 of the codes (default: all that have no other)"
    )
    text = "make the key that every robot's key follows from"
    master = actions.add_parser("master", help=text, description=text)
    master.add_argument("file", nargs="?", type=Path, help=f"(default: as {SEAL_MASTER} says, else in the home)")
    about = "make none: the one that is there counts for this database from now on, and who has another stops"
    master.add_argument("--adopt", action="store_true", help=about)
    master.set_defaults(acted=_master)


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, work: Work
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    parser.set_defaults(acted=_run, work=work)
    return parser


def _add_codes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="*", help="the 29-character robot code; hyphens and spaces are left out")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="a file with a code a line")


def _run(args: argparse.Namespace, settings: Settings) -> int:
    text = asyncio.run(_connected(args, settings))
    if text:
        print(text)
    return 0


async def _connected(args: argparse.Namespace, settings: Settings) -> str:
    async with database.connected(endpoints(settings).database_url) as connection:
        work: Work = args.work
        return await work(connection, args, settings)


async def _register(connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings) -> str:
    async def give(code: RobotCode, make_user: MakeUser | None) -> int:
        return await robot_keys.give(connection, code, getpass.getuser(), make_user)

    return await _give_out(connection, args, settings, give)


async def _rotate(connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings) -> str:
    overlap = timedelta(seconds=seconds("--overlap", args.overlap))

    async def give(code: RobotCode, make_user: MakeUser | None) -> int:
        return await robot_keys.replace(connection, code, overlap, getpass.getuser(), make_user)

    return await _give_out(connection, args, settings, give)


async def _give_out(
    connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings, give: Give
) -> str:
    codes, master, kafka = _codes(args), read_master(settings), endpoints(settings).kafka
    if master is None:
        raise SettingError(
            f"there is no master key: `robovitals robot master` makes one, or name its file in {SEAL_MASTER}"
        )
    if len(codes) > 1 and args.out is None:
        raise SettingError("several robots' secrets do not go to one screen: --out DIRECTORY")
    await agree(connection, master, getpass.getuser())
    users = _users(kafka, args.quota)
    said = []
    for code in codes:
        file = None if args.out is None else SecretFile(_path(args.out, code, len(codes) > 1))
        try:
            version = await give(code, None if users is None else users.make)
        except BaseException:
            if file is not None:
                file.drop()
            raise
        text = as_toml(_credentials(code, version, master, kafka, users))
        if file is None:
            said.append(text.rstrip())
        else:
            file.write(text)
            said.append(f"{code}: version {version}, {file.path}")
    await _forget_users(connection, users)
    return "\n".join(said)


def _credentials(
    code: RobotCode, version: int, master: bytes, kafka: Kafka, users: "RobotUsers | None"
) -> Credentials:
    key = derive_key(master, code, version).hex()
    if users is None:
        return Credentials(code, kafka.bootstrap, "", "", "", key, version)
    user = robot_keys.user_of(code, version)
    return Credentials(code, kafka.bootstrap, user, users.passwords[user], kafka.ca or "", key, version)


def _users(kafka: Kafka, bytes_per_s: int | None) -> "RobotUsers | None":
    """None where Kafka lets in anybody."""
    if kafka.user is None:
        if bytes_per_s is not None:
            raise SettingError("--quota: this Kafka knows no users, and so no quota of one")
        return None
    from deploy.robot_users import RobotUsers  # its library is needed here only

    return RobotUsers(kafka, bytes_per_s)


async def _forget_users(connection: asyncpg.Connection, users: "RobotUsers | None") -> list[str]:
    """Those whose keys have ended meanwhile: nothing else would take them away."""
    return [] if users is None else await robot_keys.forget_users(connection, users.delete)


async def _tidy(connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings) -> str:
    gone = await _forget_users(connection, _users(endpoints(settings).kafka, None))
    return "\n".join(f"{user}: taken away" for user in gone) or "no user of Kafka has a key that has ended"


async def _revoke(connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings) -> str:
    users = _users(endpoints(settings).kafka, None)
    said = []
    for code in _codes(args):
        versions = await robot_keys.revoke(connection, code, getpass.getuser())
        said.append(f"{code}: revoked, within {TAKES_EFFECT_S:.0f} s: version {', '.join(map(str, versions))}")
    await _forget_users(connection, users)
    return "\n".join(said)


async def _list(connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings) -> str:
    found = await robot_keys.keys(connection, args.prefix.replace("-", "").replace(" ", ""))
    if args.json:
        return msgspec.json.encode(found).decode()
    return "\n".join(map(_key_line, found)) or "no robot has a key: robovitals robot register CODE"


async def _policy(connection: asyncpg.Connection, args: argparse.Namespace, settings: Settings) -> str:
    if args.policy is not None:
        maker = args.maker.upper()
        if maker != EVERY_MAKER and not (len(maker) == 4 and maker.isascii() and maker.isalnum()):
            raise SettingError(f"--maker {args.maker}: give characters 3 to 6 of its robots' codes")
        if args.policy != POLICIES[0] and read_master(settings) is None:
            raise SettingError("there is no master key to verify seals with: robovitals robot master")
        await robot_keys.set_policy(connection, maker, args.policy, getpass.getuser())
    return "\n".join(map(_policy_line, await robot_keys.policies(connection))) or "no frames must be sealed: off"


def _master(args: argparse.Namespace, settings: Settings) -> int:
    if args.adopt:
        return asyncio.run(_adopt(args, settings))
    path = args.file or master_file(settings)
    create_master(path)
    print(f"{path}: whoever has it can be any robot. Keep a copy: without it every robot needs another key")
    return 0


async def _adopt(args: argparse.Namespace, settings: Settings) -> int:
    master = read_master(settings)
    if args.file is not None or master is None:
        raise SettingError(f"--adopt takes the master key that {SEAL_MASTER} names, or that is in the home")
    async with database.connected(endpoints(settings).database_url) as connection:
        await adopt(connection, master, getpass.getuser())
    print("it counts for this database now; robots with keys of another one need new ones: robovitals robot rotate")
    return 0


def _codes(args: argparse.Namespace) -> list[RobotCode]:
    texts = [*args.code]
    if args.source is not None:
        texts += [line for line in args.source.read_text("utf-8").splitlines() if line.strip()]
    if not texts:
        raise SettingError("give a robot's code, or --from FILE")
    return list(dict.fromkeys(map(checked_code, texts)))


def _path(out: Path, code: RobotCode, several: bool) -> Path:
    if several:
        with suppress(FileExistsError):
            out.mkdir(mode=0o700, parents=True)
    return out / f"{code}.toml" if out.is_dir() else out


def _key_line(key: Key) -> str:
    ends = "" if key.ends is None else f" {_moment(key.ends)} by {key.ended_by}"
    used = "never used" if key.used is None else f"used since {_moment(key.used)}"
    seen = "" if key.last_seen is None else f", last seen {_moment(key.last_seen)}"
    given = f"given {_moment(key.created)} by {key.created_by}"
    return f"{key.robot_id} {key.key_version:5} {key.state + ends:36} {used}{seen}, {given}"


def _policy_line(policy: Policy) -> str:
    return f"{policy.maker:4} {policy.policy:8} since {_moment(policy.since)} by {policy.set_by}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
