"""`python -m faults`: break a stack of its own on purpose, and see that the books balance. `make faults` calls it.

In: options. Out: the table; exit code 1 where anything was lost, doubled, stuck, or otherwise not as it must be.
The same seed injects the same faults in the same order; what the machine makes of their moments is its own.
"""

import argparse
import asyncio
import logging
import secrets
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Table

from deploy.bench.figures import this_machine
from deploy.ledger.verdict import Verdict, named
from deploy.local.servers import Servers
from deploy.settings import read_settings
from faults.ledger import LedgerProcess
from faults.rounds import Harm, Tallies, catalogue, run_round
from faults.table import doubled, drawn, lost
from faults.testing import FATAL, red_checks
from faults.world import World, a_world


def main() -> int:
    args = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="faults-") as directory:
        home = Path(args.home or directory)
        with Servers(home, read_settings().cache) as servers:
            return asyncio.run(_mutants(args, home, servers) if args.mutants else _run(args, home, servers))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="rounds, each with a ledger of its own (1)")
    parser.add_argument("--seed", type=int, default=None, help="what follows what (another each time)")
    parser.add_argument("--faults", default="", help="only those whose names contain one of these, by commas")
    parser.add_argument("--kills", type=int, default=5, help="how often a round kills each process (5)")
    parser.add_argument("--rate", type=float, default=1000, help="frames a second (1000)")
    parser.add_argument("--robots", type=int, default=100, help="robots (100)")
    parser.add_argument("--away", type=float, default=60, help="for how many seconds a broker is away (60)")
    parser.add_argument("--mutants", action="store_true", help="test the tester: wrong products must turn it red")
    parser.add_argument("--home", help="keep logs and books in this directory")
    args = parser.parse_args()
    args.seed = secrets.randbelow(1_000_000) if args.seed is None else args.seed
    return args


async def _run(args: argparse.Namespace, home: Path, servers: Servers) -> int:
    began_s, console = time.monotonic(), Console(highlight=False, width=110)
    console.print(f"seed {args.seed}")
    chance, tallies, verdicts = Random(args.seed), Tallies(), list[Verdict]()
    async with a_world(home, servers) as world:
        for number in range(args.rounds):
            verdicts.append(await _round(args, number, world, chance, tallies))
            _say(console, number, verdicts[-1])
    minutes = (time.monotonic() - began_s) / 60
    title = f"seed {args.seed}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {minutes:.1f} minutes"
    console.print(drawn(tallies, verdicts, title), this_machine().text, sep="\n")
    stuck = any(tally.stuck for tally in tallies.values())
    return 1 if stuck or not all(verdict.balanced for verdict in verdicts) else 0


async def _mutants(args: argparse.Namespace, home: Path, servers: Servers) -> int:
    """Each must be found; the product as it is must not."""
    console, table = Console(highlight=False, width=110), Table("mutant", "found by", title=f"seed {args.seed}")
    failures = 0
    for mutant in (None, *FATAL):
        red = await red_checks(home, servers, mutant, args.seed)
        right = bool(red) == bool(mutant)
        failures += not right
        table.add_row(mutant or "none", "\n".join(red) or "nothing", style=None if right else "red")
    console.print(table)
    return 1 if failures else 0


async def _round(args: argparse.Namespace, number: int, world: World, chance: Random, tallies: Tallies) -> Verdict:
    chosen = _chosen(args)
    faults = [(name, harm) for name, harm in chosen.items() for _ in range(_times(args, name))]
    chance.shuffle(faults)
    ledger = LedgerProcess(world, f"{number}", args.seed + number, args.rate, args.robots)
    verdict = await run_round(world, ledger, chance, faults, tallies)
    for name in chosen:
        if name in tallies:
            tallies[name].lost += lost([verdict])
            tallies[name].doubled += doubled([verdict])
    return verdict


def _chosen(args: argparse.Namespace) -> dict[str, Harm]:
    words = [word.strip() for word in args.faults.split(",") if word.strip()]
    return {
        name: harm
        for name, harm in catalogue(args.away).items()
        if not words or any(word in name for word in words)
    }


def _times(args: argparse.Namespace, name: str) -> int:
    return args.kills if name.startswith("kill ") else 1


def _say(console: Console, number: int, verdict: Verdict) -> None:
    state = "balances" if verdict.balanced else "does NOT balance"
    console.print(f"round {number + 1} {state}: {verdict.acknowledged} records acknowledged")
    for line in named(verdict):
        console.print(line, markup=False, style="red")


if __name__ == "__main__":
    sys.exit(main())
