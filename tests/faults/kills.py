"""Faults of the product's own processes: killed at random and at named points, stopped, joined by others.

Each takes a world and a source of chance, does its harm, and returns the victims and when it was over (monotonic).
"""

import asyncio
import signal
import time
from random import Random

from faults.world import Child, World

Over = tuple[tuple[str, ...], float]

REACHED_WITHIN_S = 20.0
LAST_PAUSE_S = 0.5
ZOMBIE_S = 13.0  # past the session time-out of 10 s, and before the database ends an idle transaction (20 s)
STORM_S, STORM_EVERY_S = 8.0, 2.0


class NotReached(Exception):  # noqa: N818 - no error: there was nothing to do at that point
    """The process did not come to the named point in time."""


async def kill(world: World, chance: Random, process: str) -> Over:
    """`kill -9` at any moment."""
    await asyncio.sleep(chance.uniform(0, LAST_PAUSE_S))
    world.child(process).signal(signal.SIGKILL)
    return (process,), time.monotonic()


async def kill_all(world: World, chance: Random) -> Over:
    """All three within a moment."""
    for process in chance.sample(list(world.children), len(world.children)):
        await kill(world, chance, process)
    return tuple(world.children), time.monotonic()


async def kill_at(world: World, chance: Random, process: str, point: str, most: int) -> Over:
    """`kill -9` by its own hand, at one of the next times that it passes the point."""
    child = world.child(process)
    victim = child.process
    assert victim is not None
    child.arm(point, chance.randint(1, most), "KILL")
    until_s = time.monotonic() + REACHED_WITHIN_S
    while victim.poll() is None:
        if time.monotonic() > until_s:
            child.arm(point, 1_000_000_000, "KILL")
            raise NotReached(f"{process} did not come to {point} within {REACHED_WITHIN_S:.0f} s")
        await asyncio.sleep(0.005)
    return (process,), time.monotonic()


async def zombie(world: World, chance: Random, process: str, points: tuple[str, ...]) -> Over:
    """Stopped in the middle of its work until its session is over and another has its partitions; then woken."""
    other = world.another(process)
    child = world.child(process)
    try:
        other.start()
        await asyncio.sleep(3)  # until both have partitions
        child.arm(chance.choice(points), 1, "STOP")
        await _is_stopped(child)
        await asyncio.sleep(ZOMBIE_S)
        child.signal(signal.SIGCONT)
        woken_s = time.monotonic()
        await asyncio.sleep(2)
    finally:
        child.signal(signal.SIGCONT)
        await _leave(other)
    return (process,), max(woken_s, time.monotonic())


async def storm(world: World, chance: Random, process: str) -> Over:
    """Another joins and leaves, in order or by `kill -9`, every few seconds."""
    until_s = time.monotonic() + STORM_S
    while time.monotonic() < until_s:
        other = world.another(process)
        other.start()
        await asyncio.sleep(chance.uniform(0.5, 1.5) * STORM_EVERY_S)
        if chance.random() < 0.25:
            other.end()
        else:
            await _leave(other)
    return (process,), time.monotonic()


async def _is_stopped(child: Child) -> None:
    assert child.process is not None
    until_s = time.monotonic() + REACHED_WITHIN_S
    while _state(child.process.pid) not in "T":
        if time.monotonic() > until_s:
            raise NotReached(f"{child.name} did not stop itself")
        await asyncio.sleep(0.01)


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]


async def _leave(child: Child) -> None:
    child.signal(signal.SIGTERM)
    until_s = time.monotonic() + 15
    while child.is_running and time.monotonic() < until_s:
        await asyncio.sleep(0.05)
    child.end()
