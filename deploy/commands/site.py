"""`robovitals site …`: where robots are, for whoever groups and filters by it."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from deploy.settings import Settings, endpoints
from schemas.errors import SettingError
from schemas.robot_code import checked_code
from serve import database, sites
from serve.sites import Placing, checked_site, read_placings

EXAMPLE = "robovitals site import robots.csv"
STDIN = "-"

Work = Callable[[asyncpg.Connection, argparse.Namespace], Awaitable[str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "The page's grid can be grouped by site, and every list of robots and alarms filtered by it. A robot may "
        "be placed before its first frame has come."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    setting = _action(actions, "set", "robots are at a site from now on", _set)
    setting.add_argument("site", metavar="SITE")
    setting.add_argument("code", nargs="+", metavar="CODE")
    importing = _action(actions, "import", "the same from a CSV with columns robot_id and site", _import)
    importing.add_argument("file", metavar="FILE", help="- is the standard input")
    clearing = _action(actions, "clear", "nobody says any more where these robots are", _clear)
    clearing.add_argument("code", nargs="+", metavar="CODE")
    _action(actions, "list", "every site", _list)


def run(args: argparse.Namespace, settings: Settings) -> int:
    print(asyncio.run(_connected(endpoints(settings).database_url, args)))
    return 0


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, work: Work
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    parser.set_defaults(work=work)
    return parser


async def _connected(database_url: str, args: argparse.Namespace) -> str:
    work: Work = args.work
    async with database.connected(database_url) as connection:
        return await work(connection, args)


async def _set(connection: asyncpg.Connection, args: argparse.Namespace) -> str:
    site = checked_site(args.site)
    await sites.place(connection, [Placing(code, site) for code in dict.fromkeys(map(checked_code, args.code))])
    return await _list(connection, args)


async def _import(connection: asyncpg.Connection, args: argparse.Namespace) -> str:
    await sites.place(connection, read_placings(_text(args.file).splitlines()))
    return await _list(connection, args)


async def _clear(connection: asyncpg.Connection, args: argparse.Namespace) -> str:
    if not await sites.clear(connection, [checked_code(code) for code in args.code]):
        raise SettingError("none of these robots was anywhere: robovitals site list")
    return await _list(connection, args)


async def _list(connection: asyncpg.Connection, args: argparse.Namespace) -> str:
    found = await sites.sites(connection)
    lines = [f"{site.name:24} {site.robots:7} robots, {site.heard} of them have sent something" for site in found]
    return "\n".join(lines) or "no site: robovitals site set SITE CODE"


def _text(file: str) -> str:
    return sys.stdin.read() if file == STDIN else Path(file).read_text(encoding="utf-8-sig")
