"""`robovitals audit CODE | --fleet`: where telemetry, parts and logbooks of robots do not fit together."""

import argparse
import asyncio
from datetime import UTC, datetime

import msgspec
from rich.console import Console

from deploy.progress import bar
from deploy.settings import Settings, endpoints
from processors import audit_tables, auditing
from schemas.errors import UnavailableError
from schemas.robot_code import checked_code
from serve import database, findings
from serve.findings import FindingLine

EXAMPLE = "robovitals audit --fleet"
FOUND = 3
"""The exit code where a finding stands."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Run it daily, by cron or a timer: after the first time a fleet costs what its new hours cost. Exit code "
        "3: something does not fit. docs/findings.md says what each finding means, and how often it is wrong."
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("code", nargs="?", metavar="CODE")
    which.add_argument("--fleet", action="store_true", help="every robot that has something new")
    parser.add_argument("--whole", action="store_true", help="look at whole lives, whatever was audited before")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    return asyncio.run(_audit(endpoints(settings).database_url, args))


async def _audit(url: str, args: argparse.Namespace) -> int:
    code = checked_code(args.code) if args.code else None
    async with database.connected(url) as connection:
        if not await audit_tables.is_ours(connection):
            raise UnavailableError("another `robovitals audit` is at it: try again when it is done")
        with bar("auditing") as progress:
            robots = [code] if code else None
            tally = await auditing.audit(
                connection, datetime.now(UTC), robots, progress, whole=args.whole or code is not None
            )
        found = await findings.of_robot(connection, code) if code else []
    if args.json:
        print(msgspec.json.encode({"done": tally, "findings": found}).decode())
    else:
        _print(Console(highlight=False), found, tally)
    return FOUND if tally.standing else 0


def _print(console: Console, found: list[FindingLine], tally: auditing.Tally) -> None:
    for one in found:
        style = "dim" if one.closed else "bold red" if one.confidence == "established" else "yellow"
        console.print(f"{one.confidence} {one.rule} {one.component}  {one.first:%Y-%m-%d %H:%M}", style=style)
        console.print(f"  {one.text}" + (f" Closed: {one.closed_because}" if one.closed else ""), markup=False)
        for sign, evidence in (("+", one.evidence_for), ("-", one.evidence_against)):
            for line in evidence:
                entries = f" (entries {', '.join(map(str, line.entries))})" if line.entries else ""
                console.print(f"  {sign} {line.text}{entries}", markup=False)
    console.print(
        f"{tally.robots} robots, {tally.whole} of them whole, {tally.hours} hours read: {tally.standing} findings "
        f"stand, {tally.closed} closed"
    )
