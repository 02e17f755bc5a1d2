"""`robovitals topics`: create and verify every topic, and say where an existing one differs."""

import argparse
import asyncio
import sys

import msgspec

from deploy.settings import Settings, endpoints
from deploy.topics import check, ensure
from schemas.topics import DEFAULT_PARTITIONS

EXAMPLE = "robovitals topics --partitions 16 --replication 3"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--partitions",
        type=int,
        default=DEFAULT_PARTITIONS,
        help="partitions of a new fleet's topics (an existing fleet keeps its own)",
    )
    parser.add_argument("--replication", type=int, default=1, help="copies of each new topic (3 in production)")
    parser.add_argument("--check", action="store_true", help="create nothing, only verify")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    kafka = endpoints(settings).kafka
    work = check(kafka) if args.check else ensure(kafka, args.partitions, args.replication)
    reports = asyncio.run(work)
    if args.json:
        print(msgspec.json.encode(reports).decode())
    else:
        for report in reports:
            state = "created" if report.created else "ok" if not report.differences else "DIFFERS"
            print(f"{report.name:45} {report.partitions:4} partitions  {state}")
            for difference in report.differences:
                print(f"    {difference}")
    differing = [report.name for report in reports if report.differences]
    if differing:
        print(f"robovitals: {len(differing)} topics are not as they should be", file=sys.stderr)
    return 1 if differing else 0
