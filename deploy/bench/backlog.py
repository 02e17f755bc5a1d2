"""A real agent that comes back with a week in its spool, beside the load: whom does its backlog hold up?

In: how many frames its spool has, a Kafka, when it begins and when it ends. Out: `Backlog`: how far it came, and
how long its own live frames took to the broker. Called by `latency.py`, which watches everybody else's.

The agent is `robovitals agent` with the throttle that it has by default; it is fed ten messages a second.
"""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, time_ns
from typing import Any

import asyncpg
import msgspec

from deploy.bench.agent_loop import MESSAGE
from deploy.bench.fleet import Fleet
from deploy.settings import kafka_environ
from ingest.agent.spool import Spool, SpoolLimits
from ingest.agent.status import read_status
from schemas.errors import UnavailableError
from schemas.frame import encode_frame
from schemas.kafka import Kafka
from schemas.robot_code import RobotCode

HZ = 10
APART_US = 1_000_000
SYNC_EVERY = 5_000
LIMITS = SpoolLimits(max_bytes=4 << 30, max_age_s=30 * 86_400)
ENDS_WITHIN_S = 30.0

# A frame's time is when its readings arrived at the agent, `received` when the broker had it.
_LIVE = """
SELECT extract(epoch FROM received - time)::double precision AS took_s, backfill
FROM frame WHERE robot_id = $1 AND boot_id <> $2"""


class Backlog(msgspec.Struct, frozen=True):
    """Of `frames` so many are `left`; `took_s` until none was, None where some are. `live_s`: of its own live
    frames, how long they took to the broker, and how many were `late`: they went as backlog too.
    """

    frames: int
    left: int
    took_s: float | None
    live_s: list[float]
    late: int


class Returning:
    """A robot with a full spool, whose agent does not run yet. Its files are in `directory`, which it removes."""

    def __init__(self, directory: Path, frames: int) -> None:
        self._directory = directory
        self._frames = frames
        self._left = frames
        self._took_s: float | None = None
        fleet = Fleet(1, time_ns() // 1000 - frames * APART_US, APART_US)
        self._code, self._boot_id = RobotCode(fleet.frame(0).robot_id), fleet.boot_id
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        (directory / "robot.toml").write_text(f'robot = "{self._code}"\nrate_hz = {2 * HZ}.0\n', "utf-8")
        spool = Spool.open(directory / "spool.db", LIMITS, time_ns() // 1000)
        for number in range(frames):
            frame = fleet.frame(number)
            spool.append(encode_frame(frame), frame.seq, frame.boot_id, frame.time_us)
            if number % SYNC_EVERY == 0:
                spool.sync()
        spool.close()

    async def run(self, kafka: Kafka, start_s: float, goes_on: Callable[[], bool]) -> None:
        """From `start_s` (monotonic) for as long as it `goes_on`. Raises UnavailableError when the agent ends."""
        await asyncio.sleep(max(0.0, start_s - monotonic()))
        agent = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "deploy.cli", "agent", "--config", str(self._directory / "robot.toml"),
            stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, env={**os.environ, **kafka_environ(kafka)},
        )  # fmt: skip
        try:
            await self._feed(agent, start_s, goes_on)
        finally:
            with suppress(ProcessLookupError):
                agent.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(agent.wait(), ENDS_WITHIN_S)

    async def _feed(self, agent: asyncio.subprocess.Process, start_s: float, goes_on: Callable[[], bool]) -> None:
        line = msgspec.json.encode({"readings": MESSAGE, "mode": "working"}) + b"\n"
        assert agent.stdin is not None
        number = 0
        while goes_on():
            if agent.returncode is not None:
                raise UnavailableError(
                    f"the agent ended with {agent.returncode}: is its Kafka one that lets it in?"
                )
            agent.stdin.write(line)
            self._look(start_s)
            number += 1
            await asyncio.sleep(max(0.0, start_s + number / HZ - monotonic()))

    def _look(self, start_s: float) -> None:
        """How far it is, as it says itself."""
        with suppress(UnavailableError):
            status = read_status(self._directory / "spool.db.status.json")
            # Its newest frames wait there too, for as long as the broker takes to answer.
            self._left = status.spool_frames if status.spool_frames > HZ else 0
            if not self._left and self._took_s is None:
                self._took_s = monotonic() - start_s

    async def found(self, connection: "asyncpg.Connection[Any]") -> Backlog:
        """When all of it has landed. The directory goes."""
        shutil.rmtree(self._directory, ignore_errors=True)
        rows = await connection.fetch(_LIVE, self._code, self._boot_id)
        live_s = [row["took_s"] for row in rows if not row["backfill"]]
        return Backlog(self._frames, self._left, self._took_s, live_s, len(rows) - len(live_s))
