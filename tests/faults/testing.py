"""Test the tester: the product made wrong on purpose, and the fault that it then cannot stand.

In: servers. Out: of each mutant the checks that found it; where none did, the check is at fault. Called by
`python -m faults --mutants` and by `tests/integration/test_faults.py`.
"""

from functools import partial
from pathlib import Path
from random import Random

from deploy.ledger.check import Checker
from deploy.local.servers import Servers
from faults import kills
from faults.kills import Over
from faults.ledger import LedgerProcess
from faults.mutants import ACKED, CLOCK, EARLY, UNFENCED, UNKEYED
from faults.rounds import Harm, all_at_work
from faults.witness import witnessed
from faults.world import World, a_world

RATE, ROBOTS = 500, 20
# A mutant's tables need not come to rest.
PATIENCE_S = 12.0


async def _nothing(world: World, chance: Random) -> Over:
    """Its frames are enough: some come twice."""
    return (), 0.0


FATAL: dict[str, Harm] = {
    EARLY: partial(kills.kill_at, process="land", point="before_commit", most=3),
    UNFENCED: partial(kills.zombie, process="land", points=("before_begin",)),
    UNKEYED: _nothing,
    CLOCK: _nothing,
    ACKED: partial(kills.kill_at, process="assess", point="before_state", most=1),
}
# A batch may hold only what matters to nobody.
TIMES = {ACKED: 3}


async def red_checks(home: Path, servers: Servers, mutant: str | None, seed: int) -> list[str]:
    """What finds this mutant, by the names of the checks; of no mutant (None) it must be nothing."""
    harm = FATAL[mutant] if mutant else _nothing
    async with a_world(home, servers, mutant) as world:
        ledger = LedgerProcess(world, "mutant", seed, RATE, ROBOTS)
        ledger.start()
        try:
            await all_at_work(world)
            for number in range(TIMES.get(mutant or "", 1)):
                await harm(world, Random(seed + number))
                await all_at_work(world)
            book = await ledger.end()
        finally:
            ledger.kill()
        try:
            verdict = await Checker(book, world.endpoints, lambda line: None).run(PATIENCE_S)
            verdict.checks.append(await witnessed(world.database_url))
            return verdict.red
        finally:
            book.close()
            book.path.unlink()
