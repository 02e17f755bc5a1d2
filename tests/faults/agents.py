"""Agents broken on purpose: kill -9, the broker gone, a spool too small, frames to reject, a clock that jumps.

In: servers, a seed. Out: the book of each robot. `PYTHONPATH=tests python -m faults.agents --seed 7` prints them
and exits with 1 where one does not balance; called by `tests/integration/test_agent_books.py` as well.

The ledger is this process, which nothing disturbs. One thing no book can tell: a frame that the broker took, whose
acknowledgement was lost, and that a full spool drops later, is landed and reported as dropped. So the robot with
the small spool is at rest when the broker dies.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psycopg
from rich.console import Console

from deploy.bench.broker import watermarks
from deploy.local.servers import Servers
from deploy.settings import read_settings
from faults.agent_books import Book, drawn, read_book
from faults.agent_child import BAD, JUMPS, TAKEN, TOLD
from faults.child import MUTANT
from faults.world import TESTS, World
from schemas.kafka import Kafka
from schemas.robot_code import make_code
from schemas.topics import FRAMES
from support.robots import EAGER, RunningAgent

WITHIN_S = 120.0
BAD_EVERY = 7
OVERFLOW = 2500  # readings: more than may wait to be sent live, which no spool drops, and than a small spool holds
_LANDED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM landed WHERE topic = %s"


@dataclass(frozen=True)
class Kind:
    """What happens to a robot besides the broker's death. `shut_in` ends while the broker is away, and stays so.

    A jump of the clock shows in the readings that arrive after it: one a bout of talk, or only their sum would.
    """

    name: str
    killed: bool = False
    small: bool = False
    bad: bool = False
    jumps: str = ""
    shut_in: bool = False


KINDS = (
    Kind("undisturbed"),
    Kind("killed", killed=True),
    Kind("killed, some bad frames", killed=True, bad=True),
    Kind("small spool", small=True),
    Kind("clock jumps", jumps="20:-3600,130:90000"),
    Kind("shut in", shut_in=True),
)


class Robot(RunningAgent):
    """An agent, and how much was said to it."""

    def __init__(self, kind: Kind, number: int, home: Path, kafka: Kafka, mutant: str | None) -> None:
        self.kind, self.intended, self.kills = kind, 0, 0
        self.code = make_code("ZZ", "TEST", "BOOKS1", f"{number}")
        directory = home / f"robot-{number}"
        environ = {TOLD: str(directory / "told"), JUMPS: kind.jumps, "PYTHONPATH": str(TESTS)}
        if kind.bad:
            environ[BAD] = str(BAD_EVERY)
        if mutant:
            environ[MUTANT] = mutant
        text = EAGER + ("[spool]\nmost_mb = 0.06\n" if kind.small else "")
        super().__init__(directory, kafka, text, self.code, "faults.agent_child", **environ)
        self.config.write_text(self.config.read_text().replace("rate_hz = 1000.0", "rate_hz = 50.0"))

    def talk(self, readings: int) -> None:
        for _ in range(readings):
            self.intended += 1
            self.say({"battery_soc": 0.5}, cycles=self.intended)

    def say_last(self) -> None:
        """A good one, with which it reports what it dropped."""
        self.talk(2 if (self.intended + 1) % BAD_EVERY == 0 else 1)

    def strike(self, readings: int, taken: int) -> None:
        """`kill -9` when so many more are in the spool, of so many readings on their way there."""
        self.until_taken()
        before = self.intended
        self.talk(readings)
        self._until_taken(before + taken)
        self.kill()
        self.kills += 1
        self.start()

    def until_taken(self) -> None:
        """All that was said is in the spool."""
        self._until_taken(self.intended)

    def _until_taken(self, number: int) -> None:
        """Readings come in order: the last one tells it."""
        told = self.directory / "told"

        def taken() -> bool:
            lines = [line.split() for line in told.read_text().splitlines()] if told.exists() else []
            return any(int(line[-1]) >= number for line in lines if len(line) == 4 and line[0] == TAKEN)

        _until(taken, f"{self.kind.name} takes reading {number}")

    def until_empty(self) -> None:
        """Twice, so that a sync lies between."""
        first = self.until(lambda status: status.spool_frames == 0)
        self.until(lambda status: status.spool_frames == 0 and status.written_us != first.written_us)


async def balanced(
    servers: Servers, home: Path, seed: int, mutant: str | None = None, kinds: Sequence[Kind] = KINDS
) -> list[Book]:
    """Break them, let all come to rest, and read the books."""
    world = World(home, servers)
    robots = [Robot(kind, n, world.home, servers.endpoints.kafka, mutant) for n, kind in enumerate(kinds, 1)]
    await world.open()
    try:
        await world.start(["land"])
        await asyncio.to_thread(_break, robots, servers, Random(seed))
        await asyncio.to_thread(_until_landed, world)
        return await asyncio.to_thread(_read, robots, world.database_url)
    finally:
        for robot in robots:
            robot.kill()
        await world.close()


def _break(robots: list[Robot], servers: Servers, chance: Random) -> None:
    for robot in robots:
        robot.start()
    _everybody(robots, chance)
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
        _until(lambda: connection.execute(_LANDED, (FRAMES.name,)).fetchall()[0][0] >= sent, "all is landed")


def _read(robots: list[Robot], database_url: str) -> list[Book]:
    with psycopg.connect(database_url) as connection:
        return [read_book(r.kind.name, r.code, r.directory, r.intended, r.kills, connection) for r in robots]


def _until(holds: Callable[[], bool], what: str) -> None:
    until_s = time.monotonic() + WITHIN_S
    while not holds():
        if time.monotonic() > until_s:
            raise AssertionError(f"in {WITHIN_S:.0f} s not: {what}")
        time.sleep(0.05)


def main() -> int:
    parser = argparse.ArgumentParser(prog="faults.agents", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="another each time")
    seed = parser.parse_args().seed
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
