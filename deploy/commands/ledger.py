"""`robovitals ledger`: send frames that follow from a seed, and keep a book of what became of each."""

import argparse
import asyncio
import logging
import signal
import sys
import time
from pathlib import Path

from deploy.ledger.book import Book
from deploy.ledger.plan import ROLES, Plan
from deploy.ledger.send import Ledger
from deploy.settings import Settings, endpoints

EXAMPLE = "robovitals ledger --book ledger.db --rate 500 --seconds 60 && robovitals verify --book ledger.db"
SAY_EVERY_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        f"Its robots (ZZLEDG…) take {len(set(ROLES))} roles: plain, hot (beyond alarm limits at known times), "
        "twice (duplicates), swaps (out of order), late (by three hours), ahead (a clock one hour fast), "
        "epoch (a clock in 1970), and poison among good frames, which belongs in `reject`. `robovitals verify` "
        "holds the book against the tables. They stay in the database, and fall silent at the end."
    )
    parser.add_argument("--book", required=True, metavar="FILE", help="a new SQLite file")
    parser.add_argument("--rate", type=float, default=500, help="frames a second, of all robots (default 500)")
    parser.add_argument("--seconds", type=float, default=60, help="for how long (default 60)")
    parser.add_argument("--robots", type=int, default=100, help=f"at least {len(ROLES)} (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="what the frames follow from (default 1)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    plan = Plan(args.seed, time.time_ns() // 1000, args.rate, args.seconds, args.robots)
    kafka = endpoints(settings).kafka
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what fails is noted in the book
    book = Book.create(Path(args.book), plan)
    try:
        return asyncio.run(_run(Ledger(book, kafka), plan))
    finally:
        book.close()


async def _run(ledger: Ledger, plan: Plan) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    saying = asyncio.create_task(_say(ledger, plan))
    try:
        await ledger.run(stop)
    finally:
        saying.cancel()
    print(
        f"{ledger.intended} intended, {ledger.acknowledged} acknowledged, {ledger.unknown} attempted only; "
        f"seed {plan.seed}, {ledger.failures} producers replaced"
    )
    return 0


async def _say(ledger: Ledger, plan: Plan) -> None:
    while True:
        await asyncio.sleep(SAY_EVERY_S)
        print(
            f"{ledger.intended} of {plan.records} intended, {ledger.acknowledged} acknowledged, "
            f"{ledger.waiting} waiting",
            file=sys.stderr,
        )
