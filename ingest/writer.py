"""Lands batches one after the other, waits while a server is out, halves what is refused.

In: batches from `ingest/land.py`, which reads and decodes the next while one is being written. Out: the database,
`telemetry.rejects`, and which topics were fenced. It is the only one that tries anything again.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol, assert_never

from aiokafka import TopicPartition

from ingest.batch import Batch, FrameContent, LogbookContent
from ingest.land_metrics import LandMetrics
from ingest.landing import Attempt, Fenced, Judged, Landed, Refused, Replayed, TooMuch
from ingest.progress import Progress
from ingest.reject_limit import RejectLimit
from ingest.seal_watch import SealWatch
from schemas.errors import RetryError
from schemas.keyring import POLICIES, REQUIRE, WARN
from schemas.reject import Reject

FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 5.0

_log = logging.getLogger(__name__)


class Lands(Protocol):
    """What a writer needs of `ingest.landing.Landing`."""

    async def land(self, batch: Batch) -> Attempt: ...


class Publishes(Protocol):
    """What a writer needs of `ingest.publish_rejects.RejectPublisher`."""

    async def publish(self, rejects: Sequence[Reject]) -> None: ...


class Writer:
    """A queue of batches and the task that empties it.

    `outage` says why nothing is being written although there is something; `fenced` collects the topics whose
    batches were dropped, for the reader to begin again from the stored offsets; `landed` holds of each partition
    the next offset to land.
    """

    def __init__(
        self, landing: Lands, rejects: Publishes, limit: RejectLimit, metrics: LandMetrics, progress: Progress
    ) -> None:
        self._landing = landing
        self._rejects = rejects
        self._limit = limit
        self._metrics = metrics
        self._progress = progress
        self._seals = SealWatch()
        self._queue: deque[Batch] = deque()
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._published: Batch | None = None
        self._backoff_s = FIRST_BACKOFF_S
        self.outage: str | None = None
        self.fenced: set[str] = set()
        self.landed: dict[TopicPartition, int] = {}

    def submit(self, batch: Batch) -> None:
        """Add a batch behind the others."""
        self._queue.append(batch)
        if self._task is None or self._task.done():
            self.check()
            self._task = asyncio.create_task(self._drain(), name="writer")

    def begin(self, positions: Mapping[TopicPartition, int]) -> None:
        """Where the partitions stand that have been assigned."""
        self.landed.update(positions)

    @property
    def waiting(self) -> int:
        """Batches that are not landed, the one being written included."""
        return len(self._queue)

    def oldest_ms(self, topic: str) -> int | None:
        """The broker's earliest time stamp among the topic's batches."""
        return min((batch.oldest_ms for batch in self._queue if batch.topic == topic), default=None)

    def check(self) -> None:
        """Raise what ended the task, if anything did."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def ended(self, timeout_s: float) -> None:
        """Wait until the queue is empty, at most `timeout_s`."""
        if self._task is not None and not self._task.done():
            await asyncio.wait({self._task}, timeout=timeout_s)

    async def drop(self, timeout_s: float) -> None:
        """Forget all batches. One that is being written ends first, if it does within `timeout_s`."""
        self._queue.clear()
        # Without a batch nothing would notice the end of an outage: the next batch finds out anew.
        self.outage = None
        self._backoff_s = FIRST_BACKOFF_S
        self._wake.set()
        await self.ended(timeout_s)

    async def stop(self, timeout_s: float) -> None:
        """Like `drop`, for good: what does not end in time is broken off, and rolled back by the server."""
        await self.drop(timeout_s)
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _drain(self) -> None:
        while self._queue:
            batch = self._queue[0]
            started_s = time.monotonic()
            try:
                attempt = await self._attempt(batch)
            except RetryError as error:
                if self._is_first(batch):
                    await self._wait(str(error))
                continue
            self._recovered()
            self._settle(batch, attempt, time.monotonic() - started_s)

    async def _attempt(self, batch: Batch) -> Attempt:
        self._limit.check(batch)
        if batch.rejects and self._published is not batch:
            await self._rejects.publish(batch.rejects)
            self._published = batch
        attempt = await self._landing.land(batch)
        if isinstance(attempt, TooMuch) and len(batch.records) == 1:
            raise RetryError(attempt.detail)
        return attempt

    def _is_first(self, batch: Batch) -> bool:
        """False when the queue was dropped while `batch` was being written."""
        return bool(self._queue) and self._queue[0] is batch

    def _settle(self, batch: Batch, attempt: Attempt, seconds: float) -> None:
        current = self._is_first(batch)
        match attempt:
            case Landed(duplicates):
                if current:
                    self._queue.popleft()
                self._limit.note(batch)
                self._measure(batch, duplicates, seconds)
            case Fenced():
                self._metrics.fenced.inc()
                self.fenced.add(batch.topic)
                self._queue = deque(b for b in self._queue if b.topic != batch.topic)
                _log.warning(
                    "another lander owns partitions of %s: begin again from the stored offsets", batch.topic
                )
            case Refused(detail):
                if current:
                    self._queue.popleft()
                    parts = batch.halves() if len(batch.records) > 1 else (batch.refused(detail),)
                    self._queue.extendleft(reversed(parts))
            case TooMuch(detail):
                if current:
                    _log.warning("%d records at once are too much (%s): halving", len(batch.records), detail)
                    self._queue.popleft()
                    self._queue.extendleft(reversed(batch.halves()))
            case Replayed(found):
                if current:
                    self._queue[0] = batch.with_replays(found)
            case Judged(refused):
                if current:
                    self._queue[0] = batch.with_refusals(refused)
            case _:
                assert_never(attempt)

    async def _wait(self, reason: str) -> None:
        """Until the backoff is over or the queue is dropped. Equal jitter, so that landers do not come in step."""
        if self.outage is None:
            _log.warning("paused: %s", reason)
        self.outage = reason
        self._metrics.retries.inc()
        self._wake.clear()
        delay_s = self._backoff_s * random.uniform(0.5, 1)  # noqa: S311
        self._backoff_s = min(2 * self._backoff_s, LONGEST_BACKOFF_S)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), delay_s)

    def _recovered(self) -> None:
        if self.outage is not None:
            _log.info("going on: the database answers again")
        self.outage = None
        self._backoff_s = FIRST_BACKOFF_S

    def _measure(self, batch: Batch, duplicates: int, seconds: float) -> None:
        metrics, topic = self._metrics, batch.topic
        self._progress.landed(time.monotonic())
        self.landed.update({TopicPartition(topic, p): span.next for p, span in batch.spans.items()})
        metrics.records.labels(topic).inc(len(batch.records))
        metrics.batch_records.labels(topic).observe(len(batch.records))
        metrics.batch_seconds.labels(topic).observe(seconds)
        metrics.latency_seconds.labels(topic).observe(time.time() - batch.oldest_ms / 1000)
        metrics.duplicates.labels(topic).inc(duplicates)
        for reject in batch.rejects:
            metrics.rejects.labels(topic, reject.reason).inc()
        if isinstance(batch.content, LogbookContent):
            metrics.logbook_entries.inc(len(batch.content.sent) - duplicates)
        if isinstance(batch.content, FrameContent):
            self._measure_seals(batch.content)
            metrics.impossible.inc(len(batch.content.impossible))
            if batch.content.live_time_us >= 0:
                metrics.event_latency_seconds.observe(max(time.time() - batch.content.live_time_us / 1e6, 0))

    def _measure_seals(self, content: FrameContent) -> None:
        for event in content.events:
            policy = POLICIES[REQUIRE if event.refused else WARN]
            self._metrics.seal_faults.labels(event.reason, policy).inc(event.records)
        self._seals.note(content, time.monotonic())
        for seal, counts in (("good", self._seals.good), ("faulty", self._seals.failing)):
            for maker, robots in counts.items():
                self._metrics.sealing_robots.labels(maker, seal).set(robots)
