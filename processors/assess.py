"""The assessor as a process: Faust started and stopped around its work, and how it is doing.

In: settings and metrics. Out: messages on `fleet.health` and `fleet.anomalies`. Run by `robovitals assess` in the
process shell. What it does with messages is in `processors/assess_work.py`; `processors/forward_actions.py` is its
second loop.
"""

import asyncio
import logging
import time
from pathlib import Path

import msgspec
from faust.exceptions import ConsistencyError

from processors.assess_metrics import AssessMetrics
from processors.assess_work import AssessWork
from processors.faust_app import bytes_topic, check_topics, make_app
from processors.forward_actions import ForwardActions
from processors.group_work import Grouping
from schemas.errors import ContractError, RobovitalsError, StopError
from schemas.kafka import Kafka
from schemas.limits import Limits
from schemas.topics import VITALS

_log = logging.getLogger(__name__)

STUCK_AFTER_S = 60.0
STOP_WITHIN_S = 8.0
_LOOK_EVERY_S = 0.5


class AssessSettings(msgspec.Struct, frozen=True):
    """`instance` names this replica, so that its place in the group outlives a restart; None where it has no name.
    `directory` holds its local state: another one for each replica.
    """

    kafka: Kafka
    directory: Path
    instance: str | None
    silence_us: int
    limits: Limits


class Assess:
    """One worker; as many as there are partitions share the work."""

    def __init__(self, settings: AssessSettings, metrics: AssessMetrics) -> None:
        self._kafka = settings.kafka
        self._directory = settings.directory
        self._metrics = metrics
        app = self._app = make_app(settings.kafka, settings.directory, settings.instance)
        self._work = AssessWork(app, settings.limits, settings.silence_us, metrics)
        app.agent(bytes_topic(app, VITALS), name="assess", concurrency=1)(self._work.consume)
        self._forward = ForwardActions(settings.kafka, settings.instance, metrics)
        self._grouping = Grouping(settings.kafka, metrics.groups, self._groups)
        self._progress_s = time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Assess until `stop`. Raises StopError when something failed that is not the data's fault."""
        await check_topics(self._kafka)
        starting = asyncio.create_task(self._app.start())
        forwarding = asyncio.create_task(self._forward.run())
        over = asyncio.Event()
        grouping = asyncio.create_task(self._grouping.run(over))
        beside = (starting, forwarding, grouping)
        stopping = asyncio.create_task(stop.wait())
        try:
            while not (stopping.done() or self._app.crashed or forwarding.done() or any(map(_failure, beside))):
                await asyncio.wait({stopping}, timeout=_LOOK_EVERY_S)
                self._measure()
        finally:
            stopping.cancel()
            forwarding.cancel()
            over.set()
            await asyncio.gather(asyncio.wait({forwarding}), self._end(starting), _ended(grouping))
        if failure := self._app.crash_reason or next(filter(None, map(_failure, beside)), None):
            raise _explained(failure, self._directory)

    async def _end(self, starting: asyncio.Task[None]) -> None:
        starting.cancel()
        await asyncio.wait({starting})
        stopping = asyncio.create_task(self._app.stop())
        await asyncio.wait({stopping}, timeout=STOP_WITHIN_S)
        if not stopping.done():
            _log.warning("Faust does not stop within %.0f s, and is left: nothing is lost by that", STOP_WITHIN_S)

    def not_ready(self) -> str | None:
        """Ready is: partitions are assigned and their state is restored."""
        if not self._restored():
            return "restoring the state of its partitions"
        return None if self._work.offsets.assigned() else "no partition is assigned"

    def stuck(self, now_s: float) -> str | None:
        """Stuck is: there are messages, and none was handled for a minute."""
        idle_s, lag = now_s - self._last_progress_s(), self._lag()
        if lag and idle_s > STUCK_AFTER_S:
            return f"{lag} messages wait, and none was handled for {idle_s:.0f} s"
        return None

    def _restored(self) -> bool:
        return self._app.tables.actives_ready and not self._app.rebalancing

    def _groups(self) -> bool:
        """Of the replicas one groups the fleet's episodes."""
        return self._restored() and any(tp.partition == 0 for tp in self._work.offsets.assigned())

    def _lag(self) -> int:
        return self._work.offsets.left() if self._restored() else 0

    def _last_progress_s(self) -> float:
        """Having nothing to do counts as progress."""
        return max(self._progress_s, self._work.progress_s)

    def _measure(self) -> None:
        lag = self._lag()
        if not lag:
            self._progress_s = time.monotonic()
        self._metrics.lag.set(lag)
        self._metrics.progress_age_seconds.set(time.monotonic() - self._last_progress_s())
        self._work.tick()


def _explained(failure: BaseException, directory: Path) -> RobovitalsError:
    if isinstance(failure, RobovitalsError):
        return failure
    if isinstance(failure, ConsistencyError):
        return ContractError(
            f"the state in {directory} is ahead of its changelogs in Kafka: the topics were made anew, or have "
            "lost records; remove that directory, and the state is restored from what Kafka has"
        )
    return StopError(f"the assessor failed, its messages are left for the next start: {failure!r}")


async def _ended(grouping: "asyncio.Task[None]") -> None:
    """It ends by itself, unless Kafka does not answer."""
    await asyncio.wait({grouping}, timeout=STOP_WITHIN_S)
    grouping.cancel()
    await asyncio.wait({grouping}, timeout=_LOOK_EVERY_S)


def _failure(task: "asyncio.Task[None]") -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None
