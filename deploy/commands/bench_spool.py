"""`robovitals bench spool`: what the robot's spool costs on this disk."""

import argparse

from deploy.bench.report import Report
from deploy.bench.spool import measure
from deploy.settings import Settings
from schemas.errors import SettingError

SPOOL = "what a robot's spool costs: CPU and disk while it is online, room and time for a week that it was away"
MOST_FRAMES = 10_000_000


def add_parser(measures: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = measures.add_parser(
        "spool",
        help=SPOOL,
        description=f"{SPOOL}. It writes below ROBOVITALS_HOME, and needs no servers.",
        epilog="example: ROBOVITALS_HOME=/media/robot robovitals bench spool --frames 60000 --rounds 1",
    )
    parser.add_argument(
        "--frames", type=int, default=600_000, help="without a broker (default 600000, a week at 1 Hz)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of everything (default 3)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def report(args: argparse.Namespace, settings: Settings) -> Report:
    """Raises SettingError for what cannot be measured."""
    if not 1 <= args.frames <= MOST_FRAMES:
        raise SettingError(f"--frames {args.frames}: give 1 to {MOST_FRAMES}")
    if not 1 <= args.rounds <= 100:
        raise SettingError(f"--rounds {args.rounds}: give 1 to 100")
    return measure(settings.home / "bench-spool", args.frames, args.rounds)
