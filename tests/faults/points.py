"""Named points at which a process of the product kills or stops itself, without a switch in the product.

In: a file `point` in the working directory ("before_commit 3 KILL"), read when SIGUSR1 comes. Out: at the third
time that the process gets there, it sends itself SIGKILL. Called by `faults/child.py` before anything of the
product is imported. The points are at the drivers, so that they hold however the product is built:

before_begin                  a batch is made, and nothing of it written
before_commit, after_commit   a COMMIT of frames: rows are copied, and not there yet; there, and nobody knows it
repaired                      windows were repaired and published, and their marks are still there
before_offsets                outputs are acknowledged, and the group's offsets are not committed
before_state                  an anomaly is acknowledged, and the state that knows of it is not written
"""

import os
import signal
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.topics import ANOMALIES

FILE = "point"
FRAME = "frame"  # or incoming_frame


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
    """Of transactions only those that hold frames: others are many, and most hold nothing that would be missed."""
    execute, copy = asyncpg.Connection.execute, asyncpg.Connection.copy_to_table
    holds_frames: set[int] = set()

    async def copying(self: Any, table_name: str, **options: Any) -> Any:
        if table_name.endswith(FRAME):
            holds_frames.add(id(self))
        return await copy(self, table_name, **options)

    async def executing(self: Any, query: str, *args: Any, **options: Any) -> Any:
        word = query.strip(" ;\n").upper()
        if word == "BEGIN":
            holds_frames.discard(id(self))
            trap.passed("before_begin")
        commits = word == "COMMIT" and id(self) in holds_frames
        if commits:
            trap.passed("before_commit")
        if query.lstrip().startswith("DELETE FROM late_window"):
            trap.passed("repaired")
        answer = await execute(self, query, *args, **options)
        if commits:
            trap.passed("after_commit")
        return answer

    asyncpg.Connection.execute = executing  # type: ignore[method-assign]
    asyncpg.Connection.copy_to_table = copying  # type: ignore[method-assign]


def _watch_kafka(trap: Trap) -> None:
    commit, send = AIOKafkaConsumer.commit, AIOKafkaProducer.send

    async def committing(self: Any, *args: Any, **options: Any) -> Any:
        trap.passed("before_offsets")
        return await commit(self, *args, **options)

    async def sending(self: Any, topic: str, *args: Any, **options: Any) -> Any:
        sent = await send(self, topic, *args, **options)
        if topic == ANOMALIES.name:
            # Called before whoever waits for it goes on.
            sent.add_done_callback(lambda _: trap.passed("before_state"))
        return sent

    AIOKafkaConsumer.commit, AIOKafkaProducer.send = committing, sending
