"""`robovitals access …`: who may see and do what: tokens, links to log in, fleets."""

import argparse
import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg

from deploy.durations import seconds
from deploy.local import state
from deploy.settings import Settings, endpoints
from schemas.errors import SettingError
from serve import credentials, database
from serve.credentials import LINK_FOR, Credential
from serve.people import Role

EXAMPLE = "robovitals access token grafana --role viewer --fleet berlin --for 90d"
PAGE = "http://127.0.0.1:8080"
TOKEN_FOR = "90d"  # noqa: S105 - how long one lasts

Work = Callable[[asyncpg.Connection, argparse.Namespace], Awaitable[str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "A viewer reads, an operator also acts on alarms, an admin sees every robot and what could not be read. "
        "A fleet is the robots whose code begins with one of its prefixes. A secret is shown once, kept nowhere: "
        "a token goes into a program's header `Authorization: Bearer TOKEN`, a link into a browser, where it works "
        "once, within a quarter of an hour."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    token = _action(actions, "token", "a secret for a program", _token)
    token.add_argument("name", help="which program; what it does is told by this name")
    _add_rights(token, Role.VIEWER)
    token.add_argument(
        "--for", dest="lasts", default=TOKEN_FOR, metavar="TIME", help=f"how long it is valid (default {TOKEN_FOR})"
    )
    link = _action(actions, "link", "an address that logs a person in to the page, once", _link)
    link.add_argument("name", nargs="?", default=getpass.getuser(), help="who (default: the user of this machine)")
    _add_rights(link, Role.OPERATOR)
    link.add_argument("--url", help=f"where the page is (default: the running stack's, else {PAGE})")
    _action(actions, "list", "what opens something now, without its secret", _list)
    revoke = _action(actions, "revoke", "take all away that a person or program has", _revoke)
    revoke.add_argument("name", nargs="?", help="whose")
    revoke.add_argument("--id", type=int, metavar="N", help="only this one, as `list` numbers it")
    fleet = actions.add_parser("fleet", help="which robots a fleet is").add_subparsers(
        dest="fleet_action", metavar="ACTION", required=True
    )
    for name, text, work in (
        ("add", "let a fleet have the robots whose codes begin so", _fleet_add),
        ("remove", "take prefixes away from a fleet; without any, the fleet", _fleet_remove),
    ):
        changing = _action(fleet, name, text, work)
        changing.add_argument("name", metavar="FLEET")
        changing.add_argument("prefix", nargs="+" if name == "add" else "*", metavar="PREFIX")
    _action(fleet, "list", "every fleet", _fleet_list)


def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.action == "link" and args.url is None:
        stack = state.running(settings.home)
        args.url = f"http://127.0.0.1:{stack.page_port}" if stack and stack.page_port else PAGE
    print(asyncio.run(_connected(endpoints(settings).database_url, args.work, args)))
    return 0


async def make_link(database_url: str, url: str, name: str, role: Role, fleets: list[str] | None = None) -> str:
    """An address that logs its reader in. It works once, within a quarter of an hour."""
    async with database.connected(database_url) as connection:
        return f"{url}/login?link={await credentials.give(connection, 'link', name, role, fleets, LINK_FOR)}"


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, work: Work
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    parser.set_defaults(work=work)
    return parser


def _add_rights(parser: argparse.ArgumentParser, role: Role) -> None:
    parser.add_argument(
        "--role", choices=[role.value for role in Role], default=role.value, help=f"(default {role.value})"
    )
    parser.add_argument("--fleet", action="append", metavar="FLEET", help="only these (default: every robot)")


async def _connected(database_url: str, work: Work, args: argparse.Namespace) -> str:
    async with database.connected(database_url) as connection:
        return await work(connection, args)


async def _token(connection: asyncpg.Connection, args: argparse.Namespace) -> str:
    lasts = timedelta(seconds=seconds("--for", args.lasts))
    if lasts <= timedelta(0):
        raise SettingError(f"--for {args.lasts}: a token lasts some time")
    return await credentials.give(connection, "token", args.name, Role(args.role), args.fleet, lasts)


async def _link(connection: asyncpg.Connection, args: argparse.Namespace) -> str:
    secret = await credentials.give(connection, "link", args.name, Role(args.role), args.fleet, LINK_FOR)
    return f"{args.url}/login?link={secret}"


async def _list(connection: asyncpg.Connection, args: argparse.Namespace) -> str:
    found = await credentials.credentials(connection)
    return "\n".join(map(_line, found)) or "nothing opens anything: robovitals access link"


async def _revoke(connection: asyncpg.Connection, args: argparse.Namespace) -> str:
    if (args.name is None) == (args.id is None):
        raise SettingError("give a name, or --id N: robovitals access list")
    gone = await credentials.revoke(connection, args.name, args.id)
    if not gone:
        raise SettingError(f"nothing belongs to {args.name or args.id}: robovitals access list")
    return "\n".join(f"revoked: {_line(credential)}" for credential in gone)


async def _fleet_add(connection: asyncpg.Connection, args: argparse.Namespace) -> str:
    await credentials.add_to_fleet(connection, args.name, args.prefix)
    return await _fleet_list(connection, args)


async def _fleet_remove(connection: asyncpg.Connection, args: argparse.Namespace) -> str:
    if not await credentials.remove_from_fleet(connection, args.name, args.prefix):
        raise SettingError(f"fleet {args.name} has no such prefix: robovitals access fleet list")
    return await _fleet_list(connection, args)


async def _fleet_list(connection: asyncpg.Connection, args: argparse.Namespace) -> str:
    found = await credentials.fleets(connection)
    lines = [f"{fleet.name:16} {fleet.robots:7} robots  {' '.join(fleet.prefixes)}" for fleet in found]
    return "\n".join(lines) or "no fleet: robovitals access fleet add berlin DEACME"


def _line(credential: Credential) -> str:
    fleets = "every robot" if credential.fleets is None else f"fleets {', '.join(credential.fleets)}"
    used = "never used" if credential.used is None else f"used {credential.used:%Y-%m-%d %H:%M}"
    left = credential.expires - datetime.now(UTC)
    ends = f"for {left.days} d" if left >= timedelta(days=2) else f"for {left / timedelta(hours=1):.1f} h"
    who = f"{credential.id:5} {credential.kind:8} {credential.name:20} {credential.role:9}"
    return f"{who} {fleets:24} {ends:10} {used}"
