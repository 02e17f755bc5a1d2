"""How a simulated fleet begins, or goes on where it was.

In: what was asked for, what this home's fleet has sent before, and the time. Out: the fleet's file, from when it is
live, and the part of the past that is still to be told. Called by `ingest/simulate.py`. Pure.
"""

from dataclasses import dataclass

import msgspec

from ingest.faults import FleetFile
from ingest.fleet import WORN_FOR_S
from ingest.past import DAY_US
from ingest.stories import Story, stories


@dataclass(frozen=True, slots=True)
class Opening:
    """The fleet sends at its rate from `boot_us` on; the time from `past_from_us` to then is told as a demo's past.
    `told`: what has happened to the fleet, where it is new.
    """

    fleet: FleetFile
    boot_us: int
    past_from_us: int
    told: tuple[Story, ...] = ()


def opened(before: FleetFile | None, seed: int, robots: int, history_s: float, now_us: int) -> Opening:
    """With `history_s` of past at the fleet's own rate, but not what was sent before."""
    boot_us = now_us - round(history_s * 1e6)
    if before is None or before.seed != seed:
        return Opening(FleetFile(seed, robots, _midnight_us(boot_us), 0), boot_us, boot_us)
    boot_us = max(boot_us, before.sent_until_us + 1)
    return Opening(msgspec.structs.replace(before, robots=robots), boot_us, boot_us)


def opened_demo(before: FleetFile | None, seed: int, robots: int, now_us: int) -> Opening:
    """With a day of past, told once; a fleet that goes on tells what it has missed of its last day."""
    if before is None or before.seed != seed or not before.sent_until_us:
        fleet = FleetFile(seed, robots, _midnight_us(now_us - round(WORN_FOR_S * 1e6)), 0)
        return Opening(fleet, now_us, now_us - DAY_US, tuple(stories(fleet.members())))
    fleet = msgspec.structs.replace(before, robots=robots)
    return Opening(fleet, now_us, max(now_us - DAY_US, before.sent_until_us + 1))


def _midnight_us(time_us: int) -> int:
    return time_us // DAY_US * DAY_US
