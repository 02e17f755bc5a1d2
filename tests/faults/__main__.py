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
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console

from deploy.bench.machine import this_machine
from deploy.ledger.verdict import Verdict, named
from deploy.local.servers import Servers
from deploy.settings import read_settings
from faults.cluster import Trio, leader_moved
from faults.ledger import LedgerProcess
from faults.loud import LOUD, is_loud
from faults.rounds import Harm, catalogue, run_round
from faults.stopped import end_servers_when_ended
from faults.table import drawn, drawn_loud, drawn_mutants
from faults.tally import Tallies, Tally
from faults.testing import FATAL, red_checks
from faults.world import a_world

LEADER = "leader moved (3 brokers)"
LEADER_TIMES = 3
CONSOLE = Console(highlight=False, width=110)


def main() -> int:
    args = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    end_servers_when_ended()
    with tempfile.TemporaryDirectory(prefix="faults-") as directory:
        home = Path(args.home or directory).absolute()
        CONSOLE.print(f"seed {args.seed}")
        return 0 if _run(args, home) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="rounds, each with a ledger of its own (1)")
    parser.add_argument("--seed", type=int, default=None, help="what follows what (another each time)")
    parser.add_argument("--faults", default="", help="only those whose names begin with one of these, by commas")
    parser.add_argument("--kills", type=int, default=5, help="how often a round kills each process (5)")
    parser.add_argument(
        "--together",
        action="store_true",
        help="each kind beside the others, until the slowest is done",
    )
    parser.add_argument("--rate", type=float, default=1000, help="frames a second (1000)")
    parser.add_argument("--robots", type=int, default=100, help="robots (100)")
    parser.add_argument("--away", type=float, default=60, help="for how many seconds a broker is away (60)")
    parser.add_argument("--mutants", action="store_true", help="test the tester: wrong products must turn it red")
    parser.add_argument("--home", help="keep logs and books in this directory")
    args = parser.parse_args()
    args.seed = secrets.randbelow(1_000_000) if args.seed is None else args.seed
    return args


def _run(args: argparse.Namespace, home: Path) -> bool:
    """Whether all was well: the rounds; what must stop; a leader that moves; the mutants."""
    began_s, tallies, verdicts, well = time.monotonic(), Tallies(), list[Verdict](), True
    cache, chosen = read_settings().cache, _chosen(args, catalogue(args.away))
    with Servers(home, cache) as servers:
        if chosen:
            asyncio.run(_rounds(args, home, servers, args.rounds, _times(args, chosen), tallies, verdicts))
        if loud := _chosen(args, LOUD):
            found = {name: asyncio.run(is_loud(home, servers, name, args.seed)) for name in loud}
            CONSOLE.print(drawn_loud(found))
            well = not any(found.values())
        if args.mutants:
            reds = {m: asyncio.run(red_checks(home, servers, m, args.seed)) for m in (None, *FATAL)}
            CONSOLE.print(drawn_mutants(reds))
            well = well and all(bool(red) == bool(mutant) for mutant, red in reds.items())
    if leader := _chosen(args, {LEADER: leader_moved}):
        with Trio(home / "three", cache) as trio:
            asyncio.run(_rounds(args, home / "three", trio, 1, [*leader.items()] * LEADER_TIMES, tallies, verdicts))
    if tallies:
        minutes = (time.monotonic() - began_s) / 60
        title = f"seed {args.seed}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {minutes:.1f} minutes"
        CONSOLE.print(drawn(tallies, verdicts, title), this_machine().text, sep="\n")
    stuck = any(tally.stuck for tally in tallies.values())
    return well and not stuck and all(verdict.balanced for verdict in verdicts)


async def _rounds(
    args: argparse.Namespace,
    home: Path,
    servers: Servers,
    rounds: int,
    faults: list[tuple[str, Harm]],
    tallies: Tallies,
    verdicts: list[Verdict],
) -> None:
    """Each with the same faults in another order, and a ledger of its own."""
    chance = Random(args.seed)
    for name, _ in faults:
        tallies.setdefault(name, Tally())  # told in this order
    async with a_world(home, servers) as world:
        for number in range(rounds):
            chance.shuffle(faults)
            ledger = LedgerProcess(world, f"{number}", args.seed + number, args.rate, args.robots)
            verdicts.append(await run_round(world, ledger, chance, faults, tallies, args.together))
            state = "balances" if verdicts[-1].balanced else "does NOT balance"
            CONSOLE.print(f"round {number + 1} {state}: {verdicts[-1].acknowledged} records acknowledged")
            for line in named(verdicts[-1]):
                CONSOLE.print(line, markup=False, style="red")


def _chosen(args: argparse.Namespace, catalogue: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were asked for; all where nothing was."""
    words = tuple(word.strip() for word in args.faults.split(",") if word.strip())
    if not words:
        return {} if args.mutants else catalogue
    return {name: harm for name, harm in catalogue.items() if name.startswith(words)}


def _times(args: argparse.Namespace, chosen: dict[str, Harm]) -> list[tuple[str, Harm]]:
    """A kill as often as was asked for, everything else once a round."""
    return [
        (name, harm) for name, harm in chosen.items() for _ in range(args.kills if name.startswith("kill ") else 1)
    ]


if __name__ == "__main__":
    sys.exit(main())
