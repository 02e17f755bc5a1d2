"""How faults follow each other: what is injected, and how often."""

import asyncio
from random import Random
from types import SimpleNamespace
from typing import Any

from faults.kills import NotReached
from faults.rounds import inject_all
from faults.tally import Tallies


class Work:
    """Everybody is back at once, but for who is stuck."""

    def __init__(self, stuck: str = "") -> None:
        self.stuck = stuck

    async def moment(self, process: str) -> dict[int, int]:
        return {0: 1}

    async def until_past(self, process: str, moment: dict[int, int], timeout_s: float) -> bool:
        await asyncio.sleep(0)
        return process != self.stuck


async def injected(lanes: list[list[tuple[str, Any]]], stuck: str = "") -> Tallies:
    tallies = Tallies()
    world: Any = SimpleNamespace(progress=Work(stuck))
    await inject_all(world, Random(1), lanes, tallies)
    return tallies


async def land(*_: Any) -> tuple[tuple[str, ...], float]:
    return ("land",), 0.0


async def absent(*_: Any) -> Any:
    raise NotReached("nobody came by")


async def test_one_lane_injects_each_fault_once():
    tallies = await injected([[("a", land), ("b", land), ("a", land), ("c", absent)]])
    assert {name: (t.injected, t.not_reached) for name, t in tallies.items()} == {
        "a": (2, 0), "b": (1, 0), "c": (0, 1),
    }  # fmt: skip
    assert len(tallies["a"].recovery_s) == 2


async def test_lanes_go_on_until_the_slowest_is_done():
    tallies = await injected([[("a", land)] * 2, [("b", land)] * 5])
    assert tallies["b"].injected == 5
    assert tallies["a"].injected >= 2


async def test_who_is_not_back_is_stuck():
    tallies = await injected([[("a", land)]], stuck="land")
    assert (tallies["a"].stuck, tallies["a"].recovery_s) == (["land"], [])
