"""Named points at which a process of the product kills or stops itself, without a switch in the product.

In: a file `point` in the working directory ("before_commit 3 KILL"), read when SIGUSR1 comes. Out: at the third
time that the process gets there, it sends itself SIGKILL. Called by `faults/child.py` before anything of the
product is imported. The points are at the drivers, so that they hold however the product is built:

before_begin                  a batch is made, and nothing of it written
before_commit, after_commit   a COMMIT of the database: rows are copied, and not there yet; there, and nobody knows
repaired                      windows were repaired and published, and their marks are still there
before_offsets                outputs are acknowledged, and the group's offsets are not committed
before_state                  an anomaly is out, and the state that knows of it is not written
"""

import os
import signal
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.topics import ANOMALIES

FILE = "point"
CHANGELOG = "-changelog"


class Trap:
    """What is armed: the point, how many more times it is passed, and the signal."""

    def __init__(self) -> None:
        self.point: str | None = None
        self.left = 0
        self.signal = signal.SIGKILL

    def arm(self, *_: Any) -> None:
        point, left, name = Path(FILE).read_text().split()
        self.point, self.left, self.signal = point, int(left), signal.Signals[f"SIG{name}"]

    def passed(self, point: str) -> None:
        if self.point != point:
            return
        self.left -= 1
        if self.left <= 0:
            self.point = None
            os.kill(os.getpid(), self.signal)


def install() -> None:
    """Lay the trap, unarmed."""
    trap = Trap()
    signal.signal(signal.SIGUSR1, trap.arm)
    _watch_database(trap)
    _watch_kafka(trap)


def _watch_database(trap: Trap) -> None:
    execute = asyncpg.Connection.execute

    async def watched(self: Any, query: str, *args: Any, **options: Any) -> Any:
        if query.strip(" ;\n").upper() == "BEGIN":
            trap.passed("before_begin")
        commits = query.strip(" ;\n").upper() == "COMMIT"
        if commits:
            trap.passed("before_commit")
        if query.lstrip().startswith("DELETE FROM late_window"):
            trap.passed("repaired")
        answer = await execute(self, query, *args, **options)
        if commits:
            trap.passed("after_commit")
        return answer

    asyncpg.Connection.execute = watched  # type: ignore[method-assign]


def _watch_kafka(trap: Trap) -> None:
    commit, send = AIOKafkaConsumer.commit, AIOKafkaProducer.send
    told: list[bool] = []

    async def committing(self: Any, *args: Any, **options: Any) -> Any:
        trap.passed("before_offsets")
        return await commit(self, *args, **options)

    async def sending(self: Any, topic: str, *args: Any, **options: Any) -> Any:
        if topic.endswith(CHANGELOG) and told:
            told.clear()
            trap.passed("before_state")
        sent = await send(self, topic, *args, **options)
        if topic == ANOMALIES.name:
            told.append(True)
        return sent

    AIOKafkaConsumer.commit, AIOKafkaProducer.send = committing, sending
