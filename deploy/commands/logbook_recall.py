"""`robovitals logbook recall`: a batch of robots is called back, an entry in each one's logbook."""

import argparse
import asyncio
from pathlib import Path

from deploy.platform_key import known_platforms
from deploy.settings import Settings, endpoints
from deploy.signing_key import read_key
from deploy.writing import chosen
from deploy.writing.outcome import submit, told
from schemas.draft import Pen
from schemas.logbook import Recalled
from schemas.robot_code import RobotCode
from serve import database

EXAMPLE = (
    "robovitals logbook recall --part-serials bad-batch.txt --campaign 2026-07 --reason 'brittle flexspline' "
    "--key maker.key"
)


def add_parsers(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "call robots back: all of a model, a batch of codes, or those with certain parts"
    parser = actions.add_parser("recall", help=text, description=text)
    parser.set_defaults(acted=run)
    chosen.add_arguments(parser)
    parser.add_argument(
        "--model", metavar="NAME", help="every robot that is registered as this model, if not scrapped"
    )
    parser.add_argument(
        "--part-serials",
        type=Path,
        metavar="FILE",
        help="every robot that has one of these parts now: a serial a line",
    )
    parser.add_argument("--campaign", required=True, metavar="NAME", help="what `recall_done` refers to")
    parser.add_argument("--reason", required=True, metavar="TEXT")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="a maker's or an inspector's key")
    parser.add_argument("--check", action="store_true", help="write nothing, say what would be refused")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")
    parser.epilog = (
        "A robot stays recalled until `robovitals logbook write CODE recall_done --campaign NAME`. The same "
        "command again writes only what is not there yet."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    pen, servers = Pen(read_key(args.key)), endpoints(settings)
    codes = asyncio.run(_codes(servers.database_url, args))
    values = {"campaign": args.campaign, "reason": args.reason}
    lines = chosen.one_each(codes, pen, Recalled, values)
    outcome = submit(servers, lines, known_platforms(settings), args.check, len(codes))
    return told(outcome, "robot", args.json, args.check)


async def _codes(database_url: str, args: argparse.Namespace) -> list[RobotCode]:
    async with database.connected(database_url) as connection:
        return await chosen.chosen(connection, args)
