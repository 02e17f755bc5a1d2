"""`robovitals bench latency`: measure the stack that runs."""

import argparse
import asyncio
import logging
import sys
from datetime import UTC, datetime

import msgspec
from rich.console import Console

from deploy.bench import latency_figures as figures
from deploy.bench.backlog import Returning
from deploy.bench.latency import LEAD_IN_S, Spool, measure
from deploy.bench.load import FEWEST_ROBOTS
from deploy.bench.machine import this_machine
from deploy.local import state
from deploy.local.timescaledb import DatabaseServer
from deploy.settings import Settings, endpoints
from schemas.errors import SettingError

EXAMPLE = "robovitals bench latency --rate 1000 --seconds 30"
WIDTH = 120

LATENCY = (
    "how long a frame takes to its row, and a reading beyond its alarm limit to its event on fleet.anomalies, "
    "while frames come at a steady rate to the stack that runs"
)
LEAVES = "It leaves robots of its own behind (ZZBNCH…), which fall silent."
UPLINK_RATE = 20_000.0
HIGHEST_RATE, LONGEST_S, MOST_ROBOTS, MOST_FLUSHED = 100_000, 3_600, 999_999, 10_000_000


def add_parser(measures: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    latency = measures.add_parser(
        "latency", help=LATENCY, description=f"{LATENCY}. {LEAVES}", epilog=f"example: {EXAMPLE}"
    )
    latency.add_argument("--rate", type=float, default=1_000, help="frames a second (default 1000)")
    latency.add_argument(
        "--robots", type=int, help=f"that send them by turns (default as many, at least {FEWEST_ROBOTS})"
    )
    latency.add_argument(
        "--seconds", type=float, default=30, help=f"measured time, after {LEAD_IN_S:g} s of lead-in (default 30)"
    )
    latency.add_argument(
        "--flush", type=int, default=0, metavar="N", help="beside them one robot that was away sends N late frames"
    )
    latency.add_argument(
        "--flush-rate", type=float, default=UPLINK_RATE, metavar="R",
        help=f"so many of them a second (default {UPLINK_RATE:g}, what 100 Mbit/s carry)",
    )  # fmt: skip
    latency.add_argument(
        "--backlog", type=int, default=0, metavar="N",
        help="beside them one real agent comes back with N frames in its spool, and its throttle",
    )  # fmt: skip
    latency.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    robots = max(FEWEST_ROBOTS, round(args.rate)) if args.robots is None else args.robots
    spool = Spool(args.flush, args.flush_rate)
    check(args.rate, robots, args.seconds, spool)
    if not 0 <= args.backlog <= MOST_FLUSHED:
        raise SettingError(f"--backlog {args.backlog}: give up to {MOST_FLUSHED} frames")
    servers = endpoints(settings)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its errors are raised, and said in one line
    returning = Returning(settings.home / "bench-backlog", args.backlog) if args.backlog else None
    print(f"{args.rate:g} frames/s for {LEAD_IN_S + args.seconds:g} s …", file=sys.stderr)
    found = asyncio.run(measure(servers, args.rate, robots, args.seconds, spool, _pids(settings), returning))
    told = figures.figures(args.rate, robots, args.seconds, spool, found)
    machine, now = this_machine(), datetime.now(UTC)
    if args.json:
        print(msgspec.json.encode({**told, "machine": machine, "at": now}).decode())
    else:
        Console(highlight=False, width=WIDTH, file=sys.stdout).print(figures.drawn(told, machine, now))
    if lost := figures.missing(told):
        print(f"robovitals: {lost}: `robovitals status`", file=sys.stderr)
        return 1
    return 0


def _pids(settings: Settings) -> dict[str, int]:
    """Whose memory can be watched: the local stack's, but for the database, which shares it among many."""
    running = state.running(settings.home)
    if running is None or settings.kafka or settings.database_url:
        return {}
    members = (member for member in running.members if member.name != DatabaseServer.name)
    return {member.name: member.identity.pid for member in members if member.identity is not None}


def check(rate: float, robots: int, seconds: float, spool: Spool) -> None:
    """Raises SettingError for what cannot be measured."""
    if not 1 <= rate <= HIGHEST_RATE:
        raise SettingError(f"--rate {rate:g}: give 1 to {HIGHEST_RATE} frames a second")
    if not 1 <= seconds <= LONGEST_S:
        raise SettingError(f"--seconds {seconds:g}: give 1 to {LONGEST_S}")
    if not 1 <= robots <= MOST_ROBOTS:
        raise SettingError(f"--robots {robots}: give 1 to {MOST_ROBOTS}")
    if not 0 <= spool.frames <= MOST_FLUSHED:
        raise SettingError(f"--flush {spool.frames}: give up to {MOST_FLUSHED} frames")
    if not 1 <= spool.rate <= MOST_FLUSHED:
        raise SettingError(f"--flush-rate {spool.rate:g}: give 1 to {MOST_FLUSHED} frames a second")
    if rate * seconds < 2 * robots:
        raise SettingError(
            f"--rate {rate:g} --seconds {seconds:g}: that is fewer than {2 * robots} frames, two of each robot"
        )
