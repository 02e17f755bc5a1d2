"""`robovitals bench`: how fast, how late, how large."""

import argparse
import logging
import signal
import sys
from datetime import UTC, datetime

import msgspec
from rich.console import Console

from deploy.bench import agent, disk, history, land, notify, page, pipeline, query, query_fill, returning, scale
from deploy.bench.machine import this_machine
from deploy.bench.report import Report, drawn, figures
from deploy.bench.stand import stand
from deploy.commands import bench_latency, bench_spool
from deploy.settings import Settings
from schemas.errors import SettingError

EXAMPLE = "robovitals bench land --frames 300000 --rounds 2 > docs/measured/land.txt"
WIDTH = 120

OWN_SERVERS = (
    "It starts a Kafka and a TimescaleDB of its own for the time, below ROBOVITALS_HOME; with "
    "ROBOVITALS_KAFKA_BOOTSTRAP and ROBOVITALS_DATABASE_URL set it takes those, which must be empty."
)
LAND = "how fast frames land: one and two landers against raw COPY and against a consumer as one would write it"
SEALED = "what verifying each frame's seal costs, instead: landers that do against landers that do not"

PIPELINE = "how fast lander, summariser and assessor together drain a large fleet's frames, and the assessor alone"

SCALE = "CPU a frame and memory of each process, by the size of the fleet"
DISK = "how much room readings take, and how long the questions take that people ask"
PAGE = "the page in a real browser, and how late the live stream is, with every robot judged once a second"
NOTIFY = "how fast the notifier tells a receiver that answers at once"
QUERY = "how long the page's questions take with a fleet of that size, and how fast vitals become hours"
AGENT = "an agent on a robot: installed size, start, memory, CPU at 10 Hz, and what publishing costs a control loop"
AGENTS = "a fleet of agents that loses its broker: how many return in which second, and when all is caught up"
REPORT = "how long a robot's history report takes, of ten years of hours"
HISTORIES = "robots that have a day of frames and a year of vitals, their rows in turns (default 2)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    measures = parser.add_subparsers(dest="measure", metavar="MEASURE", required=True)
    one = _add(measures, "land", LAND, frames=600_000, robots=10_000, rounds=3)
    one.add_argument("--sealed", action="store_true", help=SEALED)
    one.set_defaults(measured=lambda args, on: land.measure(on, args.frames, args.robots, args.rounds, args.sealed))
    one = _add(measures, "pipeline", PIPELINE, frames=1_400_000, robots=100_000, rounds=2)
    one.set_defaults(measured=lambda args, on: pipeline.measure(on, args.frames, args.robots, args.rounds))
    one = _add(measures, "scale", SCALE, frames=1_400_000, robots=max(scale.FLEETS), rounds=2)
    one.set_defaults(measured=lambda args, on: scale.measure(on, args.frames, fleets(args.robots), args.rounds))
    one = _add(measures, "disk", DISK, frames=300_000, robots=10_000, rounds=3)
    one.add_argument("--histories", type=int, default=2, help=HISTORIES)
    one.set_defaults(measured=lambda args, on: disk.measure(on, plan_of(args), args.rounds))
    one = _add(measures, "page", PAGE, frames=None, robots=10_000, rounds=5)
    one.add_argument("--clients", type=int, default=200, help="that listen to the live stream (default 200)")
    one.add_argument("--seconds", type=float, default=60, help="that the page is watched for (default 60)")
    one.set_defaults(
        measured=lambda args, on: page.measure(on, args.robots, args.clients, args.seconds, args.rounds)
    )
    one = _add(measures, "agent", AGENT, frames=None, robots=None, rounds=3)
    one.add_argument("--seconds", type=float, default=30, help="of each round (default 30)")
    one.set_defaults(measured=lambda args, on: agent.measure(on, args.seconds, args.rounds))
    one = _add(measures, "agents", AGENTS, frames=None, robots=1000, rounds=1)
    one.add_argument("--outage", type=float, default=60, metavar="SECONDS", help="without a broker (default 60)")
    one.set_defaults(measured=lambda args, on: returning.measure(on, args.robots, args.outage))
    one = _add(measures, "notify", NOTIFY, frames=None, robots=5_000, rounds=2)
    one.set_defaults(measured=lambda args, on: notify.measure(on, args.robots, args.rounds))
    one = _add(measures, "report", REPORT, frames=None, robots=None, rounds=3)
    one.add_argument("--years", type=int, default=10, help="of hours that the robot has (default 10)")
    one.add_argument("--entries", type=int, default=200, help="in its logbook (default 200)")
    one.set_defaults(measured=lambda args, on: history.measure(on, args.years, args.entries, args.rounds))
    _add_query(measures)
    bench_latency.add_parser(measures)
    bench_spool.add_parser(measures)


def _add(
    measures: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    frames: int | None,
    robots: int | None,
    rounds: int,
) -> argparse.ArgumentParser:
    """`frames` or `robots` None: it has no use for any."""
    fewer = "" if frames is None else f" --frames {frames // 2}"
    fewer += "" if robots is None else f" --robots {robots // 2}"
    parser = measures.add_parser(
        name,
        help=text,
        description=f"{text}. {OWN_SERVERS}",
        epilog=f"example: robovitals bench {name}{fewer} --rounds 1",
    )
    parser.set_defaults(frames=frames, robots=robots)
    if frames is not None:
        parser.add_argument("--frames", type=int, default=frames, help=f"frames in the topic (default {frames})")
    if robots is not None:
        parser.add_argument("--robots", type=int, default=robots, help=f"that send them (default {robots})")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"of each contender (default {rounds})")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser


def _add_query(measures: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = measures.add_parser("query", help=QUERY, description=f"{QUERY}. {OWN_SERVERS}")
    parser.add_argument("--robots", type=int, default=100_000, help="in the fleet (default 100000)")
    parser.add_argument("--hours", type=int, default=10_000, help="of them with a day of hours (default 10000)")
    parser.add_argument("--days", type=int, default=30, help="of vitals that two robots have (default 30)")
    parser.add_argument("--rounds", type=int, default=3, help="of all questions (default 3)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(
        frames=1_000_000,
        measured=lambda args, on: query.measure(
            on, query_fill.Plan(args.robots, args.hours, args.days), args.rounds
        ),
    )


def fleets(largest: int) -> list[int]:
    """For `scale`: a hundredth, a tenth, and all. Raises SettingError."""
    if largest % 100:
        raise SettingError(f"--robots {largest}: give a multiple of 100, since a hundredth of them is measured too")
    return [largest // 100, largest // 10, largest]


def plan_of(args: argparse.Namespace) -> disk.Plan:
    """Raises SettingError."""
    if not 1 <= args.histories <= 100:
        raise SettingError(f"--histories {args.histories}: give 1 to 100")
    return disk.Plan(args.robots, args.frames, args.histories)


def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.measure == "latency":
        return bench_latency.run(args, settings)
    if args.measure == "spool":
        show(bench_spool.report(args, settings), args.json)
        return 0
    check(args.frames, args.robots, args.rounds)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its errors are raised, and said in one line
    # Whoever ends us otherwise than by Ctrl-C must not leave servers behind either.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with stand(settings) as on:
        report: Report = args.measured(args, on)
    show(report, args.json)
    return 0


def show(report: Report, as_json: bool) -> None:
    machine, now = this_machine(), datetime.now(UTC)
    if as_json:
        print(msgspec.json.encode(figures(report, machine, now)).decode())
    else:
        Console(highlight=False, width=WIDTH, file=sys.stdout).print(drawn(report, machine, now))


def check(frames: int | None, robots: int | None, rounds: int) -> None:
    """Raises SettingError for what cannot be measured."""
    if not 1 <= rounds <= 100:
        raise SettingError(f"--rounds {rounds}: give 1 to 100")
    if robots is not None and not 1 <= robots <= 999_999:
        raise SettingError(f"--robots {robots}: give 1 to 999999")
    if frames is not None and robots is not None and not robots <= frames <= 100_000_000:
        raise SettingError(f"--frames {frames}: give one a robot at least ({robots}), at most 100000000")
