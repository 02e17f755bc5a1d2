"""Agents broken on purpose: kill -9, the broker gone, a spool too small, a full disk, frames to reject, a clock
that jumps, and a network that delays, throttles, resets, falls silent or loses answers.

In: servers, a seed. Out: the book of each robot. `PYTHONPATH=tests python -m faults.agents --seed 7` prints them
and exits with 1 where one does not balance; called by `tests/integration/test_agent_books.py` as well.

The ledger is this process, which nothing disturbs. One thing no book can tell: a frame that the broker took, whose
acknowledgement was lost, and that a full spool drops later, is landed and reported as dropped. So the robot with
the small spool is at rest when the broker dies, and has a good network.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import psycopg
from rich.console import Console

from deploy.bench.broker import watermarks
from deploy.local.servers import Servers
from deploy.settings import read_settings
from faults.agent_books import Book, drawn, read_book
from faults.agent_robot import KINDS, Kind, Robot, until
from faults.stopped import end_servers_when_ended
from faults.world import World
from schemas.topics import FRAMES
from support.robots import all_frames

OVERFLOW = 2500  # readings: more than may wait to be sent live, which no spool drops, and than a small spool holds
_LANDED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM landed WHERE topic = %s"


async def balanced(
    servers: Servers, home: Path, seed: int, mutant: str | None = None, kinds: Sequence[Kind] = KINDS
) -> list[Book]:
    """Break them, let all come to rest, and read the books."""
    world = World(home, servers)
    robots = [Robot(kind, n, world.home, servers.endpoints.kafka, mutant) for n, kind in enumerate(kinds, 1)]
    try:
        await world.open()
        await world.start(["land"])
        await asyncio.to_thread(_break, robots, servers, Random(seed))
        await asyncio.to_thread(_until_landed, world)
        records = Counter((record.key or b"").decode() for record in await all_frames(servers.endpoints.kafka))
        return await asyncio.to_thread(_read, robots, records, world.database_url)
    finally:
        for robot in robots:
            robot.close()
        await world.close()


def _break(robots: list[Robot], servers: Servers, chance: Random) -> None:
    for robot in robots:
        robot.start()
    _everybody(robots, chance)
    for robot in robots:
        robot.disturb(chance)
    for robot in robots:
        robot.until_taken()
        if robot.kind.small:
            robot.until_empty()
    servers.kafka.kill()
    try:
        _everybody([robot for robot in robots if not robot.kind.small], chance)
        for robot in robots:
            robot.talk(OVERFLOW if robot.kind.small else chance.randint(20, 80))
            robot.until_taken()
            if robot.kind.shut_in:
                robot.terminate()
    finally:
        servers.kafka.start()
    running = [robot for robot in robots if not robot.kind.shut_in]
    _everybody([robot for robot in running if not robot.kind.small], chance)
    _rest(running)
    for robot in running:
        robot.say_last()
    _rest(running)
    for robot in running:
        robot.terminate()


def _rest(robots: list[Robot]) -> None:
    for robot in robots:
        robot.until_taken()
    for robot in robots:
        robot.until_empty()


def _everybody(robots: list[Robot], chance: Random) -> None:
    """Everybody talks; who is to be killed is, in the middle of it."""
    for robot in robots:
        robot.talk(chance.randint(40, 120))
    for robot in robots:
        if robot.kind.killed:
            readings = chance.randint(30, 120)
            robot.strike(readings, chance.randint(1, readings))
            robot.talk(chance.randint(1, 20))


def _until_landed(world: World) -> None:
    sent = sum(end for _, end in watermarks(world.endpoints.kafka, FRAMES.name).values())
    with psycopg.connect(world.database_url, autocommit=True) as connection:
        until(lambda: connection.execute(_LANDED, (FRAMES.name,)).fetchall()[0][0] >= sent, "all is landed")


def _read(robots: list[Robot], records: Counter[str], database_url: str) -> list[Book]:
    with psycopg.connect(database_url) as connection:
        return [read_book(robot, records[robot.code], connection) for robot in robots]


def main() -> int:
    parser = argparse.ArgumentParser(prog="faults.agents", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="another each time")
    seed = parser.parse_args().seed
    end_servers_when_ended()
    with (
        tempfile.TemporaryDirectory(prefix="agents-") as directory,
        Servers(Path(directory), read_settings().cache) as servers,
    ):
        books = asyncio.run(balanced(servers, Path(directory), seed))
    Console(highlight=False, width=110).print(drawn(books, f"agents, seed {seed}"))
    wrong = [fault for book in books for fault in book.wrong]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
