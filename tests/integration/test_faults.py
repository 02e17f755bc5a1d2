"""Broken on purpose while a ledger sends: the books balance; and of a product made wrong on purpose they do not.

A short round of what `make faults` does at length.
"""

from pathlib import Path
from random import Random

import pytest
from faults.ledger import LedgerProcess
from faults.loud import LOUD, is_loud
from faults.mutants import ACKED, CLOCK, EARLY, UNKEYED
from faults.rounds import catalogue, run_round
from faults.tally import Tallies
from faults.testing import red_checks
from faults.world import a_world

from deploy.ledger.verdict import named
from deploy.local.servers import Servers

SEED = 20_261_124
RATE, ROBOTS = 400, 40
# Those that take ten seconds and more are for `make faults`.
SHORT = (
    "kill land", "kill summarise", "kill assess", "land: before COMMIT", "land: after COMMIT",
    "summarise: output, no commit", "assess: output, no state", "unclear COMMIT", "database killed",
    "broker killed",
)  # fmt: skip


async def test_what_is_killed_cut_off_and_restarted_loses_nothing_and_doubles_nothing(
    tmp_path: Path, servers: Servers
):
    chance, tallies, harms = Random(SEED), Tallies(), catalogue(away_s=5)
    faults = [(name, harms[name]) for name in SHORT]
    chance.shuffle(faults)
    async with a_world(tmp_path, servers) as world:
        ledger = LedgerProcess(world, "short", SEED, RATE, ROBOTS)
        verdict = await run_round(world, ledger, chance, faults, tallies)
    assert named(verdict) == [], f"seed {SEED}"
    assert verdict.acknowledged > 5 * RATE
    assert {name: tally.stuck for name, tally in tallies.items() if tally.stuck} == {}
    assert sum(tally.injected for tally in tallies.values()) > len(SHORT) // 2


@pytest.mark.parametrize("mutant", [EARLY, UNKEYED, CLOCK, ACKED])
async def test_a_product_that_is_made_wrong_turns_the_check_red(tmp_path: Path, servers: Servers, mutant: str):
    assert await red_checks(tmp_path, servers, mutant, SEED)


@pytest.mark.parametrize("fault", LOUD)
async def test_what_must_stop_stops_loudly(tmp_path: Path, servers: Servers, fault: str):
    assert await is_loud(tmp_path, servers, fault, SEED) == []
