"""The summariser: frames from Kafka to windows, crossings, late marks and pulses on `telemetry.vitals`.

In: `telemetry.frames` through `inlet.py`. Out: messages on the same partition number through `outlet.py`, and the
group's commits. `robovitals summarise` runs it under `deploy/shell.py`; `repair.py` is its second loop.

One turn of the loop reads what has come, computes, and hands the messages to the producer, which takes no more
than it has room for: so a broker that is slow slows the reading. Every second it waits until all of them are
acknowledged and commits: the first offset of the oldest open window, from which a restart reads again.
"""

import asyncio
import gc
import logging
import time
from collections.abc import Sequence
from contextlib import suppress

import msgspec
from aiokafka.errors import KafkaError

from processors.group import KAFKA_TIMEOUT_S, Group
from processors.inlet import POLL_TIMEOUT_S, Inlet
from processors.outlet import Outlet, Unsettled, settled
from processors.partition import Partition, Summary
from processors.repair import Repairer
from processors.summarise_metrics import SummariseMetrics
from processors.windows import Rule
from schemas.columns import Record
from schemas.errors import RetryError, UnavailableError
from schemas.kafka import Kafka
from schemas.keyring import Keyring
from schemas.limits import Limits
from schemas.vitals import Vitals
from schemas.watermark import NO_WATERMARK

# Records come and go by the thousand and hold no cycles: at Python's defaults much time goes into looking for some.
GARBAGE_THRESHOLDS = (50_000, 20, 100)

HOUSEKEEPING_S = 1.0
PULSE_AT_MOST_EVERY_S = 5.0
STUCK_AFTER_S = 120.0
# Kafka answers many times a second when all is well; when it has not for so long, nothing is known of the end.
STALE_AFTER_S = 10.0
CANCEL_AGAIN_S = 0.5

_log = logging.getLogger(__name__)


class SummariseSettings(msgspec.Struct, frozen=True):
    """`instance` makes the group membership static: a summariser that comes back under the same name within the
    session time-out goes on at once. No two that run may share it.
    """

    kafka: Kafka
    database_url: str
    rule: Rule
    limits: Limits
    instance: str | None = None

    @property
    def idle_s(self) -> float:
        """After so long without a later frame a partition is quiet: longer than the grace that live frames have."""
        return self.rule.grace_us / 1e6 + 2.0

    @property
    def pulse_every_s(self) -> float:
        """How often a partition that is fully read says so: silence is measured by it."""
        return min(self.rule.window_us / 1e6, PULSE_AT_MOST_EVERY_S)


class _Assigned:
    """A partition, since when it is as quiet as it is (monotonic), when the broker had the last of its records, and
    up to when its last pulse said that all was read.

    It is quiet when its watermark does not move: a robot whose clock stands in 1970 does not keep the windows of
    others from being told.
    """

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.quiet_since_s = time.monotonic()
        self.pulse_ms = 0
        self.lag_records = 0
        self.read_ms = 0


class Summariser:
    """The loop. A `Process` of `deploy/shell.py`. `keyring`: what frames are verified with; None: they are not."""

    def __init__(
        self, settings: SummariseSettings, metrics: SummariseMetrics, keyring: Keyring | None = None
    ) -> None:
        self._settings = settings
        self._keyring = keyring
        self._metrics = metrics
        self._group = Group(settings.kafka)
        self._inlet = Inlet(settings.kafka, settings.instance, self._group, self._leave)
        self._outlet = Outlet(settings.kafka)
        self._repairer = Repairer(settings.database_url, metrics, self._publish, self._group.resumes)
        self._assigned: dict[int, _Assigned] = {}
        # A batch has been taken up and not all that follows from it handed over: nothing may be committed now.
        self._telling = False
        self._unsettled = Unsettled()
        self._problem: str | None = "starting"
        self._housekept_s = self._turned_s = self._progress_s = time.monotonic()
        metrics.progress_age_seconds.set_function(lambda: time.monotonic() - self._progress_s)
        metrics.unacknowledged_messages.set_function(lambda: len(self._unsettled))

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises StopError when going on would harm."""
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        repairing: asyncio.Task[None] | None = None
        try:
            await self._open(stop)
            repairing = asyncio.create_task(self._repairer.run(stop), name="repair")
            while not stop.is_set():
                await self._turn()
                if repairing.done():
                    repairing.result()
            await self._commit()
        finally:
            self._problem = "stopping"
            if repairing is not None:
                await ended(repairing)
            await self._inlet.close()
            for close in (self._outlet.close, self._group.close):
                with suppress(KafkaError, TimeoutError):
                    await asyncio.wait_for(close(), KAFKA_TIMEOUT_S)

    def not_ready(self) -> str | None:
        """For /readyz."""
        return self._problem

    def stuck(self, now_s: float) -> str | None:
        """For /healthz."""
        if now_s - self._turned_s > STUCK_AFTER_S:
            return f"the loop has not turned for {now_s - self._turned_s:.0f} s"
        if self._assigned and now_s - self._progress_s > STUCK_AFTER_S:
            return (
                f"nothing has been read for {now_s - self._progress_s:.0f} s, and Kafka does not say that it is all"
            )
        return None

    async def _open(self, stop: asyncio.Event) -> None:
        try:
            await self._group.open()
            await self._outlet.open()
        except KafkaError as error:
            raise UnavailableError(
                f"no Kafka answers at {self._settings.kafka} ({error!r}): `robovitals doctor`"
            ) from None
        await self._inlet.open(stop)

    async def _turn(self) -> None:
        self._turned_s = time.monotonic()
        if self._inlet.unpositioned:
            await self._take_up()
        polled = await self._inlet.poll()
        began_s = time.monotonic()
        self._telling = True
        for number, records in polled.items():
            # What was polled of a partition that has been given up meanwhile, its new owner reads.
            if number in self._assigned:
                await self._take(self._assigned[number], records)
        for assigned in list(self._assigned.values()):
            await self._tell_time(assigned)
        self._telling = False
        self._unsettled.look()
        if polled:
            self._metrics.turn_seconds.observe(time.monotonic() - began_s)
            self._metrics.turn_records.observe(sum(map(len, polled.values())))
        if time.monotonic() - self._housekept_s > HOUSEKEEPING_S:
            await self._keep_house()

    async def _take_up(self) -> None:
        try:
            if self._keyring is not None and not self._keyring.known:
                raise RetryError("it is not known yet which seals are required")
            places = await self._inlet.take_up(self._settings.rule)
        except RetryError as error:
            _log.warning("cannot begin yet: %s", error)
            self._problem = str(error)
            await asyncio.sleep(POLL_TIMEOUT_S)
            return
        for number, (offset, resume) in places.items():
            self._assigned[number] = _Assigned(
                Partition(self._settings.rule, self._settings.limits, number, offset, resume, self._keyring)
            )
        if places:
            self._problem = None
            _log.info("summarising %d partitions", len(self._assigned))

    async def _leave(self) -> None:
        """Partitions are being given up: commit what is safe, forget the rest."""
        self._problem = "partitions are being assigned"
        try:
            await asyncio.wait_for(self._commit(), KAFKA_TIMEOUT_S)
        except TimeoutError:
            _log.info("not committed: Kafka does not acknowledge what was sent")
        finally:
            self._assigned.clear()

    async def _take(self, assigned: _Assigned, records: Sequence[Record]) -> None:
        before_us = assigned.partition.watermark_us
        summary = assigned.partition.take(records)
        self._progress_s = time.monotonic()
        if assigned.partition.watermark_us != before_us:
            assigned.quiet_since_s = self._progress_s
        assigned.read_ms = records[-1].timestamp
        await self._send(assigned.partition, summary)

    async def _send(self, partition: Partition, summary: Summary) -> None:
        self._metrics.frames.inc(summary.frames)
        self._metrics.undecodable.inc(summary.undecodable)
        self._metrics.crossings.inc(summary.crossings)
        for counter, counts in ((self._metrics.late, summary.late), (self._metrics.windows, summary.windows)):
            for label, count in counts.items():
                counter.labels(label).inc(count)
        self._unsettled.add(await self._outlet.send(partition.number, summary.messages))

    async def _tell_time(self, assigned: _Assigned) -> None:
        """What the wall clock has to say of a partition that is fully read: a pulse, and windows if it is quiet."""
        standing = await self._inlet.standing(assigned.partition.number)
        if standing is None:
            return
        assigned.lag_records = standing.lag_records
        if standing.lag_records or time.time() - standing.polled_ms / 1000 > STALE_AFTER_S:
            return
        self._progress_s = time.monotonic()
        if time.monotonic() - assigned.quiet_since_s >= self._settings.idle_s:
            assigned.quiet_since_s = time.monotonic()
            await self._send(assigned.partition, assigned.partition.quiet())
        if standing.polled_ms - assigned.pulse_ms >= 1000 * self._settings.pulse_every_s:
            assigned.pulse_ms = standing.polled_ms
            pulse = assigned.partition.pulse(standing.polled_ms * 1000)
            self._unsettled.add(await self._outlet.send(assigned.partition.number, [pulse]))

    async def _publish(self, partition: int, vitals: Sequence[Vitals]) -> None:
        """The repairer's way out."""
        await settled(await self._outlet.send(partition, vitals))

    async def _commit(self) -> None:
        """Once all is acknowledged. While partitions are given up the loop may go on, and then nothing is."""
        await self._unsettled.settle()
        if not self._telling and not self._unsettled:
            await self._inlet.commit({number: a.partition.checkpoint() for number, a in self._assigned.items()})

    async def _keep_house(self) -> None:
        self._housekept_s = time.monotonic()
        await self._commit()
        now_s, assigned = time.time(), list(self._assigned.values())
        partitions = [one.partition for one in assigned]
        self._metrics.partitions.set(len(partitions))
        self._metrics.robots.set(sum(partition.robots for partition in partitions))
        self._metrics.open_windows.set(sum(partition.open_windows for partition in partitions))
        self._metrics.rereading_records.set(sum(partition.rereading for partition in partitions))
        self._metrics.lag_records.set(sum(one.lag_records for one in assigned))
        lag_s = [now_s - one.read_ms / 1000 for one in assigned if one.lag_records and one.read_ms]
        self._metrics.lag_seconds.set(max(lag_s, default=0.0))
        behind_s = [now_s - p.watermark_us / 1e6 for p in partitions if p.watermark_us != NO_WATERMARK]
        self._metrics.watermark_lag_seconds.set(max(behind_s, default=0.0))


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended. Once is not enough: where it waits for an answer that comes in the same
    moment, `asyncio.wait_for` of Python 3.11 gives it the answer, and the cancellation is lost.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_S)
