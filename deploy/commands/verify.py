"""`robovitals verify`: hold a ledger's book against the stack that its frames went to."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

import asyncpg
import msgspec
from aiokafka.errors import KafkaError
from rich.console import Console

from deploy.ledger.book import Book
from deploy.ledger.check import Checker
from deploy.ledger.fresh import FRESH_WITHIN_S
from deploy.ledger.verdict import drawn, named
from deploy.settings import Settings, endpoints
from schemas.errors import SettingError, UnavailableError

EXAMPLE = "robovitals verify --book ledger.db"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Waits until the stack has come to rest, and checks that each acknowledged frame is exactly once in frame "
        "or in reject, in every column as it was sent; that stored offsets, vitals and episodes are what they must "
        f"be; and that one more frame (of robot ZZLEDGFRESH0…) becomes visible within {FRESH_WITHIN_S:.0f} s. "
        "The exit code is 1 where anything is not so. Other robots may send meanwhile, but then the stored offsets "
        "are not the log's ends."
    )
    parser.add_argument("--book", required=True, metavar="FILE", help="what `robovitals ledger` wrote")
    parser.add_argument(
        "--patience", type=float, default=300, metavar="S", help="how long to wait for rest (default 300)"
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    if not 0 <= args.patience <= 86_400:
        raise SettingError(f"--patience {args.patience:g}: give seconds, from 0 to 86400")
    book = Book.open_book(Path(args.book))
    servers = endpoints(settings)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    checker = Checker(book, servers, lambda line: print(f"waiting: {line}", file=sys.stderr))
    try:
        verdict = asyncio.run(checker.run(args.patience))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, KafkaError) as error:
        raise UnavailableError(f"a server does not answer ({error!r}): `robovitals doctor`") from None
    finally:
        book.close()
    if args.json:
        print(msgspec.json.encode(verdict.as_json()).decode())
    else:
        console = Console(highlight=False)
        console.print(drawn(verdict))
        for line in named(verdict):
            console.print(line, markup=False)
    return 0 if verdict.balanced else 1
