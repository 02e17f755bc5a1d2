"""The assessor's work: messages of `telemetry.vitals` in, outputs and state out, in batches.

In: Faust's app and its stream of messages. Out: messages on `fleet.health` and `fleet.anomalies`, state in two
tables. Called by `processors/assess.py`, which starts and stops it. What a message means is decided in
`processors/assessor.py`; here it is only read, sent and written.

Faust hands messages over one at a time; what has come meanwhile is handled as a batch. For each batch, in this
order, each step awaited before the next: outputs acknowledged by the broker, episodes written to their changelog,
the shards' state written to its own, the messages acknowledged. Stopped in between at any point, the messages come
again and find of each shard either the old state (all of it is repeated, with the same ids) or the new one (nothing
is left to do), whichever others were written. Why episodes may be ahead of their shard is said in
`processors/verdict.py`; why no result depends on what falls into one batch, in `processors/inbox.py`. Faust
acknowledges what its agents fail on; so acknowledging is done by hand, and any exception that is not a data fault
crashes the app with the messages unacknowledged.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Any

import faust

from processors.assess_metrics import AssessMetrics
from processors.assess_offsets import Offsets
from processors.assess_state import AssessState
from processors.faust_app import SESSION_TIMEOUT_S
from processors.inbox import Arrival, Inbox, Job
from processors.standstill import Standstill
from processors.steps import Steps
from processors.verdict import Verdict, verdicts
from schemas.anomaly import Transition, encode_anomaly
from schemas.errors import ContractError, RejectError
from schemas.health import encode_health
from schemas.limits import Limits
from schemas.topics import ANOMALIES, HEALTH, VITALS, Topic
from schemas.vitals import Crossing, decode_vitals

_log = logging.getLogger(__name__)

# A crossing waits for one batch at most. A batch waits three times for the broker, for some milliseconds.
BATCH_JOBS = 1_000
BATCH_BYTES = 6 * 1024 * 1024


class AssessWork:
    """`progress_s` is when (monotonic) a message was acknowledged last."""

    def __init__(self, app: faust.App, limits: Limits, silence_us: int, metrics: AssessMetrics) -> None:
        self._app = app
        self._metrics = metrics
        self._state = AssessState(app)
        self._steps = Steps(limits, silence_us)
        self._inbox = Inbox()
        self._came, self._has_room = asyncio.Event(), asyncio.Event()
        self._generation = -1
        self._standstill = Standstill(SESSION_TIMEOUT_S, time.monotonic())
        self.offsets = Offsets(app)
        self.progress_s = time.monotonic()

    def tick(self) -> None:
        """To be called every second or so: set the gauges that say what waits, and note that the process runs."""
        self._standstill.tick(time.monotonic())
        oldest_s = self._inbox.oldest_s()
        self._metrics.lag_seconds.set(0 if oldest_s is None else max(time.time() - oldest_s, 0))
        self._metrics.waiting_messages.set(self._inbox.waiting)
        self._metrics.waiting_bytes.set(self._inbox.waiting_bytes)

    async def consume(self, stream: Any) -> None:
        """Faust's agent: handle what has come, batch by batch. What it raises crashes the app."""
        by_hand = stream.noack()
        taking_in = asyncio.create_task(self._take_all_in(by_hand))
        taking_in.add_done_callback(lambda _: self._came.set())
        try:
            while not taking_in.done():
                await self._came.wait()
                self._came.clear()
                while self._inbox.waiting:
                    await self._handle(self._inbox.take(BATCH_JOBS, BATCH_BYTES), by_hand)
            await taking_in
        finally:
            taking_in.cancel()

    async def _take_all_in(self, stream: Any) -> None:
        """Every message into the inbox, and wait while there is no room for more."""
        async for event in stream.events():
            self._notice_rebalance()
            await self.offsets.came(event.message.tp, event.message.offset)
            self._take_in(event)
            self._came.set()
            while self._inbox.full:
                self._has_room.clear()
                await self._has_room.wait()

    def _notice_rebalance(self) -> None:
        """After a rebalance the state of a partition may come from elsewhere: forget what was known of it.

        Faust waits with a rebalance until all that it has handed over is acknowledged.
        """
        if self._app.consumer_generation_id == self._generation:
            return
        if self._inbox.waiting:
            raise ContractError(f"{self._inbox.waiting} messages from before a rebalance are not handled yet")
        self._generation = self._app.consumer_generation_id
        self._state.forget()
        self._steps.forget()
        self.offsets.forget()

    def _take_in(self, event: Any) -> None:
        message, value = event.message, event.value or b""
        arrival = Arrival(message.partition, message.offset, len(value), message.timestamp, time.monotonic(), event)
        try:
            decoded = decode_vitals(value)
        except RejectError as error:
            self._reject(error)
            self._inbox.add(arrival, (), goes_ahead=False)
            return
        self._metrics.events.labels(type(decoded).__name__.lower()).inc()
        steps = self._steps.of(message.partition, decoded)
        self._inbox.add(arrival, steps, goes_ahead=isinstance(decoded, Crossing))

    def _reject(self, error: RejectError) -> None:
        self._metrics.rejected.labels(error.reason).inc()
        _log.warning("skipped a message of %s: %s", VITALS.name, error)

    async def _handle(self, jobs: list[Job], stream: Any) -> None:
        began_s = time.monotonic()
        for verdict in self._verdicts(jobs):
            await self._settle(verdict)
        for arrival in self._inbox.finish(jobs):
            await stream.ack(arrival.event)
            self.offsets.done(arrival.partition, arrival.offset)
            self.progress_s = time.monotonic()
            self._metrics.event_seconds.observe(self.progress_s - arrival.came_s)
        self._has_room.set()
        self._metrics.batch_jobs.observe(len(jobs))
        self._metrics.batch_seconds.observe(time.monotonic() - began_s)

    def _verdicts(self, jobs: list[Job]) -> Iterator[Verdict]:
        """And how long each took to make."""
        made = verdicts(jobs, self._state)
        while True:
            began_s = time.monotonic()
            verdict = next(made, None)
            self._metrics.step_seconds.observe(time.monotonic() - began_s)
            if verdict is None:
                return
            yield verdict

    async def _settle(self, verdict: Verdict) -> None:
        """Send and write, in the order of this file's head."""
        settle_seconds = self._metrics.settle_seconds
        with settle_seconds.labels("outputs").time():
            await self._send(verdict)
        self._standstill.check(time.monotonic())
        with settle_seconds.labels("episodes").time():
            await self._state.write_records(verdict.records)
        self._standstill.check(time.monotonic())
        with settle_seconds.labels("states").time():
            sizes_bytes = await self._state.write_shards(verdict.shards)
        for size_bytes in sizes_bytes:
            self._metrics.state_bytes.observe(size_bytes)
        for error in verdict.rejected:
            self._reject(error)
        self._metrics.windows.inc(verdict.windows)
        for (rule, level), count in verdict.findings.items():
            self._metrics.findings.labels(rule, level.name.lower()).inc(count)

    async def _send(self, verdict: Verdict) -> None:
        """Anomalies and health messages, until the broker has them."""
        sent = []
        for anomaly in verdict.anomalies:
            value, headers = encode_anomaly(anomaly)
            sent.append(await self._hand_over(ANOMALIES, anomaly.robot_id, value, headers))
            self._metrics.transitions.labels(anomaly.rule, anomaly.transition).inc()
        sent += [await self._hand_over(HEALTH, h.robot_id, encode_health(h), None) for h in verdict.healths]
        await asyncio.gather(*sent)
        self._metrics.healths.inc(len(verdict.healths))
        for anomaly in verdict.anomalies:
            if anomaly.live and anomaly.transition is Transition.OPENED:
                latency_s = max(time.time() - anomaly.first_us / 1e6, 0)
                self._metrics.event_latency_seconds.labels(anomaly.rule).observe(latency_s)

    async def _hand_over(self, topic: Topic, code: str, value: bytes, headers: Any) -> Any:
        """To the producer itself: a Faust topic's `send` does the same for three times the price."""
        return await self._app.producer.send(topic.name, code.encode(), value, None, None, headers)
