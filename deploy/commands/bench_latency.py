"""`robovitals bench latency`: measure the stack that runs."""

import argparse
import asyncio
import logging
import sys

import msgspec
from rich.console import Console

from deploy.bench import latency_figures as figures
from deploy.bench.latency import LEAD_IN_S, measure
from deploy.bench.load import ROBOTS
from deploy.bench.machine import this_machine
from deploy.settings import Settings, endpoints
from schemas.errors import SettingError

EXAMPLE = "robovitals bench latency --rate 1000 --seconds 30"

LATENCY = (
    "how long a frame takes to its row, and a reading beyond its alarm limit to its event on fleet.anomalies, "
    f"while frames come at a steady rate. It leaves {ROBOTS} robots of its own behind (ZZBNCH…), which fall silent"
)
HIGHEST_RATE, LONGEST_S = 100_000, 3_600


def add_parser(measures: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    latency = measures.add_parser("latency", help=LATENCY, description=LATENCY, epilog=f"example: {EXAMPLE}")
    latency.add_argument("--rate", type=float, default=1_000, help="frames a second (default 1000)")
    latency.add_argument(
        "--seconds", type=float, default=30, help=f"measured time, after {LEAD_IN_S:g} s of lead-in (default 30)"
    )
    latency.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    check(args.rate, args.seconds)
    servers = endpoints(settings)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its errors are raised, and said in one line
    print(f"{args.rate:g} frames/s for {LEAD_IN_S + args.seconds:g} s …", file=sys.stderr)
    told = figures.figures(args.rate, args.seconds, asyncio.run(measure(servers, args.rate, args.seconds)))
    machine = this_machine()
    if args.json:
        print(msgspec.json.encode({**told, "machine": machine}).decode())
    else:
        console = Console(highlight=False)
        console.print(figures.drawn(told), machine.text, sep="\n")
    if lost := figures.missing(told):
        print(f"robovitals: {lost}: `robovitals status`", file=sys.stderr)
        return 1
    return 0


def check(rate: float, seconds: float) -> None:
    """Raises SettingError for what cannot be measured."""
    if not 1 <= rate <= HIGHEST_RATE:
        raise SettingError(f"--rate {rate:g}: give 1 to {HIGHEST_RATE} frames a second")
    if not 1 <= seconds <= LONGEST_S:
        raise SettingError(f"--seconds {seconds:g}: give 1 to {LONGEST_S}")
    if rate * seconds < 2 * ROBOTS:
        raise SettingError(
            f"--rate {rate:g} --seconds {seconds:g}: that is fewer than {2 * ROBOTS} frames, two of each robot"
        )
