"""A robot's agent as it is run to be broken: the same program, which tells what it takes and whose clock can jump.

In: its environment: where to tell, after how many frames the machine's clock jumps and its disk is full, through
which port it reaches the broker, a mutant's name. Out: a line `attempted` before a frame goes into the spool and a
line `taken` after it, each one `write`, which outlives `kill -9`.
`python -P -m faults.agent_child agent --config …`; called by `faults/agent_robot.py`.

Readings are not summed up here: each becomes a frame of its own, so that the books count readings.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from aiokafka.conn import AIOKafkaConnection

from deploy import cli
from faults.child import MUTANT
from ingest.agent import framer, process
from ingest.agent.clocks import mono_us
from ingest.agent.downsample import Downsampler
from ingest.agent.link import Acknowledgement, Link
from ingest.agent.spool import Spool
from ingest.agent.store import Store
from schemas.frame import Frame, decode_frame, encode_frame

TOLD = "FAULTS_TOLD"  # a path
JUMPS = "FAULTS_CLOCK"  # frames of this process:seconds, by commas
FULL = "FAULTS_FULL"  # the disk is full from this many frames on:until this many
NETWORK = "FAULTS_NETWORK"  # the port of a proxy, whatever the broker says of its own
BAD = "FAULTS_BAD"  # each so many readings a frame that the lander must reject, which no agent makes by itself
ATTEMPTED, TAKEN = "attempted", "taken"
UNCOUNTED, UNSENT = "dropped without counting", "acknowledged before Kafka did"
ONE_US_HZ = 1e6


def _tell(told: int, jumps: dict[int, int], full: Sequence[int]) -> None:
    """Round `Spool.append`: what was asked, and what was promised."""
    append, real_ns = Spool.append, time.time_ns
    made, ahead_s = 0, 0

    def telling(self: Spool, value: bytes, seq: int, boot_id: int, time_us: int) -> int:
        nonlocal made, ahead_s
        line = f"{boot_id} {seq} {decode_frame(value).cycles}\n"
        os.write(told, f"{ATTEMPTED} {line}".encode())
        number = append(self, value, seq, boot_id, time_us)
        os.write(told, f"{TAKEN} {line}".encode())
        made += 1
        ahead_s += jumps.get(made, 0)
        if made in full:
            _fill_disk(self, made == full[0])
        return number

    Spool.append = telling  # type: ignore[method-assign]
    time.time_ns = lambda: real_ns() + ahead_s * 1_000_000_000


def _fill_disk(spool: Spool, full: bool) -> None:
    """SQLite then answers to any growth as it does on a full disk. A small file system would need root."""
    assert spool._store is not None
    run = spool._store._connection.execute
    (pages,) = run("PRAGMA page_count").fetchone()
    run(f"PRAGMA max_page_count = {pages if full else 2**30}").fetchall()


def _reach_through(port: int) -> None:
    connect = AIOKafkaConnection.connect

    async def connect_there(self: AIOKafkaConnection) -> Any:
        self._port = port
        return await connect(self)

    AIOKafkaConnection.connect = connect_there


def _each_reading_a_frame() -> None:
    framer.Downsampler = lambda rate_hz: Downsampler(ONE_US_HZ)  # type: ignore[misc, assignment]


def _spoil(every: int) -> None:
    """A NUL in its text."""

    def spoilt(frame: Frame) -> bytes:
        bad = (frame.cycles or 0) % every == 0
        return encode_frame(msgspec.structs.replace(frame, scenario="fac\0tory") if bad else frame)

    process.encode_frame = spoilt


def _uncounted() -> None:
    delete = Store.delete

    def silent(self: Store, ranges: Any, *, dropped: bool = False) -> int:
        return delete(self, ranges)

    Store.delete = silent  # type: ignore[method-assign]


def _unsent() -> None:
    """Handed to the producer counts as acknowledged."""
    send = Link.send

    async def early(self: Link, id: int, value: bytes) -> None:
        await send(self, id, value)
        self._acknowledged(Acknowledgement(id, mono_us(), mono_us(), time.time_ns() // 1000))

    Link.send = early  # type: ignore[method-assign]


PATCHES: dict[str, Callable[[], None]] = {UNCOUNTED: _uncounted, UNSENT: _unsent}


def main() -> int:
    jumps = (jump.split(":") for jump in os.environ.get(JUMPS, "").split(",") if jump)
    told = os.open(os.environ[TOLD], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    full = [int(frames) for frames in os.environ.get(FULL, "").split(":") if frames]
    _tell(told, {int(frames): int(seconds) for frames, seconds in jumps}, full)
    _each_reading_a_frame()
    if port := os.environ.get(NETWORK):
        _reach_through(int(port))
    if every := os.environ.get(BAD):
        _spoil(int(every))
    if name := os.environ.get(MUTANT):
        PATCHES[name]()
    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
