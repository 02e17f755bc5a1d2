"""`robovitals simulate`: a fleet of simulated robots that send frames; `robovitals demo` runs it in its stack."""

import argparse

from deploy.durations import seconds
from deploy.settings import Settings, endpoints
from deploy.shell import run_process
from ingest.simulate import SimulateMetrics, SimulateSettings, Simulator
from ingest.traits import MODELS, robot
from schemas.errors import SettingError

EXAMPLE = "robovitals simulate --robots 1000 --hz 1 --history 10m"

MOST_ROBOTS, MOST_HZ, LARGEST_SEED = 1_000_000, 100.0, 999_999


def add_arguments(parser: argparse.ArgumentParser) -> None:
    joints = ", ".join(f"{model.name} with {model.joints}" for model in MODELS)
    parser.add_argument("--robots", type=int, default=200, help=f"how many (default 200), by turns {joints} joints")
    parser.add_argument("--hz", type=float, default=1.0, help="frames a second of each robot (default 1)")
    parser.add_argument(
        "--seed", type=int, default=1, help="which fleet: codes, shifts and ages follow (default 1)"
    )
    past = parser.add_mutually_exclusive_group()
    past.add_argument(
        "--history",
        default="0",
        metavar="DURATION",
        help="first send that much past, as 10m; what this home's fleet has sent before is not sent again",
    )
    past.add_argument(
        "--demo",
        action="store_true",
        help="with a day of past that has alarms of its own: a robot about to fail, a silent one, a bad release",
    )
    parser.add_argument("--duration", metavar="DURATION", help="end after so much live time; default: when stopped")
    parser.add_argument("--list", action="store_true", help="print the robots' codes and send nothing")


def run(args: argparse.Namespace, settings: Settings) -> int:
    _check(args)
    if args.list:
        for number in range(1, args.robots + 1):
            member = robot(args.seed, number)
            print(f"{number:7}  {member.code}  {member.model.joints} joints  {member.scenario.name}")
        return 0
    simulate = SimulateSettings(
        kafka=endpoints(settings).kafka,
        home=settings.home,
        robots=args.robots,
        hz=args.hz,
        seed=args.seed,
        history_s=seconds("--history", args.history),
        duration_s=None if args.duration is None else seconds("--duration", args.duration),
        demo=args.demo,
    )
    return run_process(
        "simulate", lambda registry: Simulator(simulate, SimulateMetrics.create(registry)), simulate.kafka
    )


def _check(args: argparse.Namespace) -> None:
    if not 1 <= args.robots <= MOST_ROBOTS:
        raise SettingError(f"--robots {args.robots}: give 1 to {MOST_ROBOTS}")
    if not 0 < args.hz <= MOST_HZ:
        raise SettingError(f"--hz {args.hz:g}: give more than 0, up to {MOST_HZ:g}")
    if not 0 <= args.seed <= LARGEST_SEED:
        raise SettingError(f"--seed {args.seed}: give 0 to {LARGEST_SEED}")
