"""A round: a ledger of its own, faults one after the other, rest, and the check of the book.

In: a world, a seed, the names of faults. Out: of each fault that was injected its recovery; and the verdict. Called
by `python -m faults` and by `tests/integration/test_faults.py`.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import cycle
from random import Random

from deploy.ledger.check import Checker
from deploy.ledger.verdict import Verdict
from faults import kills, servers
from faults.kills import NotReached, Over
from faults.ledger import LedgerProcess
from faults.progress import PROCESSES
from faults.table import doubled, lost
from faults.tally import Tallies, Tally
from faults.witness import witnessed
from faults.world import World

RECOVERED_WITHIN_S = 180.0
PATIENCE_S = 240.0
LEAD_IN_S = 120.0

Harm = Callable[[World, Random], Awaitable[Over]]


def catalogue(away_s: float) -> dict[str, Harm]:
    """Every fault by name, in the order in which they are told. `away_s`: how long a broker is away."""
    return {
        **{f"kill {process}": partial(kills.kill, process=process) for process in PROCESSES},
        "kill all three": kills.kill_all,
        "land: before COMMIT": partial(kills.kill_at, process="land", point="before_commit", most=4),
        "land: after COMMIT": partial(kills.kill_at, process="land", point="after_commit", most=4),
        "summarise: output, no commit": partial(kills.kill_at, process="summarise", point="before_offsets", most=2),
        "summarise: repaired, mark left": partial(kills.kill_at, process="summarise", point="repaired", most=2),
        "assess: output, no state": partial(kills.kill_at, process="assess", point="before_state", most=2),
        "assess: state, no commit": partial(kills.kill_at, process="assess", point="before_offsets", most=2),
        "zombie land": partial(kills.zombie, process="land", points=("before_begin", "before_commit")),
        "zombie summarise": partial(kills.zombie, process="summarise", points=("before_offsets",)),
        "zombie assess": partial(kills.zombie, process="assess", points=("before_state", "before_offsets")),
        "unclear COMMIT": servers.unclear_commit,
        "database killed": servers.database_killed,
        "database restarted": servers.database_restarted,
        "database locked": servers.database_locked,
        "out of connections": servers.out_of_connections,
        "disk full (53100)": servers.disk_full,
        "broker killed": servers.broker_killed,
        f"broker away {away_s:g} s": partial(servers.broker_away, seconds=away_s),
        "storm of landers": partial(kills.storm, process="land"),
        "storm of summarisers": partial(kills.storm, process="summarise"),
    }


async def run_round(
    world: World,
    ledger: LedgerProcess,
    chance: Random,
    faults: Sequence[tuple[str, Harm]],
    tallies: Tallies,
    together: bool = False,
) -> Verdict:
    """Inject these faults one after the other while the ledger sends; `together`: those of each name beside the
    others, over and over until each has been injected as often as it is in `faults`.

    Raises AssertionError where the processes do not begin to work.
    """
    ledger.start()
    try:
        await all_at_work(world)
        await inject_all(world, chance, _lanes(faults) if together else [faults], tallies)
        book = await ledger.end()
    finally:
        ledger.kill()
    try:
        verdict = await Checker(book, world.endpoints, _quiet).run(PATIENCE_S)
        verdict.checks.append(await witnessed(world.database_url))
        for name in dict(faults):
            tallies[name].lost += lost(verdict)
            tallies[name].doubled += doubled(verdict)
        return verdict
    finally:
        book.close()


async def all_at_work(world: World) -> None:
    """Until each process has passed the present end of its topic. Raises AssertionError where one does not."""
    moments = {process: await world.progress.moment(process) for process in PROCESSES}
    for process, moment in moments.items():
        if not await world.progress.until_past(process, moment, LEAD_IN_S):
            raise AssertionError(f"{process} does not begin to work: {world.child(process).log}")


def _lanes(faults: Sequence[tuple[str, Harm]]) -> list[list[tuple[str, Harm]]]:
    return [[fault for fault in faults if fault[0] == name] for name in dict(faults)]


async def inject_all(
    world: World, chance: Random, lanes: Sequence[Sequence[tuple[str, Harm]]], tallies: Tallies
) -> None:
    """Each lane beside the others. Whoever is done begins again, until the slowest is done too."""
    done: set[int] = set()

    async def inject(number: int) -> None:
        for count, (name, harm) in enumerate(cycle(lanes[number]), 1):
            await _inject(world, chance, name, harm, tallies.setdefault(name, Tally()))
            if count == len(lanes[number]):
                done.add(number)
            if len(done) == len(lanes):
                return

    await asyncio.gather(*map(inject, range(len(lanes))))


async def _inject(world: World, chance: Random, name: str, harm: Harm, tally: Tally) -> None:
    try:
        victims, over_s = await harm(world, chance)
    except NotReached as reason:
        tally.not_reached += 1
        print(f"{name}: {reason}", file=sys.stderr)
        return
    tally.injected += 1
    moments = {victim: await world.progress.moment(victim) for victim in victims}
    for victim, moment in moments.items():
        if await world.progress.until_past(victim, moment, RECOVERED_WITHIN_S):
            tally.recovery_s.append(time.monotonic() - over_s)
            print(f"{name}: {victim} is back after {tally.recovery_s[-1]:.2f} s", file=sys.stderr)
        else:
            tally.stuck.append(victim)
            print(f"{name}: {victim} is not back after {RECOVERED_WITHIN_S:.0f} s", file=sys.stderr)


def _quiet(_: str) -> None:
    """Nobody watches a round's rest."""
