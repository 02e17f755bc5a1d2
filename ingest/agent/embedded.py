"""Agent: the agent inside a robot's own Python program.

    with Agent("robot.toml") as agent:
        agent.publish({"battery_soc": 0.82, "joint_temperature_c": [41.2, 40.7]}, mode="working")

In: readings, from a control loop. Out: what `robovitals agent` does with them, in a thread of its own. `publish`
checks names and shapes and hands over: it waits for no disk and no network, in a coroutine as little as elsewhere.
What it cannot hand over in time is dropped, oldest first, and reported as such.
"""

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from prometheus_client import CollectorRegistry

from ingest.agent.agent_metrics import AgentMetrics
from ingest.agent.config_file import load_setup
from ingest.agent.process import FLUSH_S, AgentProcess
from ingest.agent.reading import ReadingError, read_mapping
from ingest.agent.status import Status
from schemas.errors import StopError
from schemas.kafka import Kafka

START_WITHIN_S = 30.0


class Agent:
    """Opened by `with`, or by `open` and `close`. The file's `source` is not used. One agent a spool.

    `registry` is for a program that has Prometheus metrics of its own.
    """

    def __init__(
        self,
        path: str | Path,
        robot: str = "",
        kafka: Kafka | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """Raises SettingError for what is wrong with the file."""
        self._setup = load_setup(Path(path), robot, kafka)
        metrics = AgentMetrics.create(registry or CollectorRegistry())
        self._process = AgentProcess(self._setup, metrics, with_source=False)
        self._thread = threading.Thread(target=self._run, name="robovitals agent", daemon=True)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ending = False
        self._error: BaseException | None = None

    def open(self) -> "Agent":
        """Open the spool and begin. Raises StopError when it cannot; Kafka need not be there."""
        self._thread.start()
        is_ready = self._ready.wait(START_WITHIN_S)
        if self._error is not None:
            raise self._error
        if not is_ready:
            self._ask_to_stop()
            raise StopError(f"the agent has not opened its spool within {START_WITHIN_S:g} s")
        return self

    def publish(self, readings: Mapping[str, Any], **fields: Any) -> None:
        """Hand over what was measured now. `fields`: mode, scenario, software, time_us, the counters,
        and parts (serials by component: `{"joint/3": "HD-0817", …}`).

        Raises ReadingError where a name or a shape is wrong, StopError once the agent ends.
        """
        if not self._thread.is_alive():
            raise StopError(f"the agent does not run: {self._error or 'it is closed'}")
        try:
            reading = read_mapping(readings, self._setup.config, fields)
        except ReadingError as error:
            self._process.note_bad(str(error))
            raise
        self._process.inbox.put(reading)

    def status(self) -> Status | None:
        """As `robovitals agent status` tells it, a second old at most; None before `open`."""
        return self._process.status

    def close(self) -> None:
        """Send what is live, for a few seconds at most; the rest stays in the spool."""
        self._ask_to_stop()
        if self._thread.is_alive():
            self._thread.join(4 * FLUSH_S)

    def _ask_to_stop(self) -> None:
        self._ending = True  # first: a loop that begins only now looks at it
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)

    def __enter__(self) -> "Agent":
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._until_stopped())
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    async def _until_stopped(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if self._ending:
            self._stop.set()
        running = asyncio.create_task(self._process.run(self._stop))
        started = asyncio.create_task(self._process.started.wait())
        await asyncio.wait({running, started}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            self._ready.set()
        started.cancel()
        await running
