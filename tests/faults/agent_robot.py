"""A robot whose agent is broken on purpose: what happens to it, how much was said to it, and its network.

In: a `Kind`, a home, a broker. Out: a running agent that is talked to, struck and disturbed. Called by
`faults/agents.py`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from faults.agent_child import BAD, FULL, JUMPS, NETWORK, TAKEN, TOLD
from faults.child import MUTANT
from faults.network import Network
from faults.world import TESTS
from schemas.kafka import Kafka
from schemas.robot_code import make_code
from support.robots import EAGER, RunningAgent

WITHIN_S = 120.0
BAD_EVERY = 7
# A link that hears nothing for so long is given up: 30 s by default, which a test need not wait for.
IMPATIENT = "stuck_s = 2.0\n"
SLOW_S, SLOW_BYTES_PER_S = 0.15, 30_000
RESETS = 3


@dataclass(frozen=True)
class Kind:
    """What happens to a robot besides the broker's death. `shut_in` ends while the broker is away, and stays so.

    A jump of the clock shows in the readings that arrive after it: one a bout of talk, or only their sum would.
    `full`: from which frame to which its disk is full. `network`: what the network does, one of `Robot.disturb`.
    """

    name: str
    killed: bool = False
    small: bool = False
    bad: bool = False
    jumps: str = ""
    shut_in: bool = False
    full: str = ""
    network: str = ""


KINDS = (
    Kind("undisturbed"),
    Kind("killed", killed=True),
    Kind("killed, some bad frames", killed=True, bad=True),
    Kind("small spool", small=True),
    Kind("clock jumps", jumps="20:-3600,130:90000"),
    Kind("shut in", shut_in=True),
    Kind("full disk", full="30:110"),
    Kind("slow network, clock jumps", network="slow", jumps="20:-3600,130:90000"),
    Kind("connections reset", network="resets"),
    Kind("connections half open", network="half open"),
    Kind("answers lost", network="deaf"),
)


class Robot(RunningAgent):
    """An agent, and how much was said to it. `close` it."""

    def __init__(self, kind: Kind, number: int, home: Path, kafka: Kafka, mutant: str | None) -> None:
        self.kind, self.intended, self.kills = kind, 0, 0
        self.code = make_code("ZZ", "TEST", "BOOKS1", f"{number}")
        self.network = Network(int(kafka.bootstrap.rpartition(":")[2])) if kind.network else None
        directory = home / f"robot-{number}"
        environ = {TOLD: str(directory / "told"), JUMPS: kind.jumps, FULL: kind.full, "PYTHONPATH": str(TESTS)}
        if kind.bad:
            environ[BAD] = str(BAD_EVERY)
        if mutant:
            environ[MUTANT] = mutant
        text = EAGER + ("[spool]\nmost_mb = 0.06\n" if kind.small else "")
        if self.network:
            environ[NETWORK] = str(self.network.port)
            text = EAGER + IMPATIENT
        super().__init__(directory, kafka, text, self.code, "faults.agent_child", **environ)
        self.config.write_text(self.config.read_text().replace("rate_hz = 1000.0", "rate_hz = 50.0"))

    @property
    def cut(self) -> int:
        """How many of its connections the network ended."""
        return self.network.ended if self.network else 0

    def close(self) -> None:
        self.kill()
        if self.network:
            self.network.close()

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

    def disturb(self, chance: Random) -> None:
        """What its network does, while it talks. Raises AssertionError where the agent does not come to see it."""
        if self.network is None:
            return
        if self.kind.network == "slow":
            self.network.delay_s, self.network.bytes_per_s = SLOW_S, SLOW_BYTES_PER_S
            self.talk(chance.randint(40, 120))
        elif self.kind.network == "resets":
            for _ in range(RESETS):
                self._while_talking(self.network.reset, chance)
                self.until_empty()
        elif self.kind.network == "half open":
            before = self.status().reconnects
            self._while_talking(self.network.fall_silent, chance)
            self.until(lambda status: status.reconnects > before)
        else:
            self._lose_answers(self.network, chance)

    def _while_talking(self, harm: Callable[[], None], chance: Random) -> None:
        self.until(lambda status: status.state == "online")
        self.talk(chance.randint(20, 60))
        harm()
        self.talk(chance.randint(20, 60))

    def _lose_answers(self, network: Network, chance: Random) -> None:
        """The broker takes frames, and the robot does not hear of it."""
        self.until(lambda status: status.state == "online")
        network.deaf = True
        self.talk(chance.randint(40, 120))
        self.until(lambda status: status.state == "offline")
        network.deaf = False
        network.reset()  # what it tried meanwhile waits for answers that were lost

    def until_taken(self) -> None:
        """All that was said is in the spool."""
        self._until_taken(self.intended)

    def _until_taken(self, number: int) -> None:
        """Readings come in order: the last one tells it."""
        told = self.directory / "told"

        def taken() -> bool:
            lines = [line.split() for line in told.read_text().splitlines()] if told.exists() else []
            return any(int(line[-1]) >= number for line in lines if len(line) == 4 and line[0] == TAKEN)

        until(taken, f"{self.kind.name} takes reading {number}")

    def until_empty(self) -> None:
        """Twice, so that a sync lies between."""
        first = self.until(lambda status: status.spool_frames == 0)
        self.until(lambda status: status.spool_frames == 0 and status.written_us != first.written_us)


def until(holds: Callable[[], bool], what: str) -> None:
    """Raises AssertionError."""
    until_s = time.monotonic() + WITHIN_S
    while not holds():
        if time.monotonic() > until_s:
            raise AssertionError(f"in {WITHIN_S:.0f} s not: {what}")
        time.sleep(0.05)
