"""The assessor's loop: `telemetry.vitals` in, health and anomalies out, state in two Faust tables.

In: settings and metrics. Out: messages on `fleet.health` and `fleet.anomalies`. Run by `robovitals assess` in the
process shell. What a message means is decided in `processors/assessor.py`; here it is only read, sent and written.

For each message, in this order, each step awaited before the next: outputs acknowledged by the broker, episodes
written to their changelog, the shard's state written to its own, the message acknowledged. Stopped in between at
any point, the message comes again and finds either the old state (all of it is repeated, with the same ids) or the
new one (nothing is left to do). Faust acknowledges what its agents fail on; so acknowledging is done by hand, and
any exception that is not a data fault crashes the process with the message unacknowledged.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, assert_never

import msgspec

from processors import assessor, episodes
from processors.assess_metrics import AssessMetrics
from processors.assessor import Outcome
from processors.detectors import silence
from processors.episodes import Record
from processors.faust_app import DurableTable, bytes_topic, check_topics, make_app
from processors.shard import Shard, empty_shard, restore, snapshot
from schemas.anomaly import encode_anomaly
from schemas.errors import ContractError, RejectError, RobovitalsError, StopError
from schemas.health import encode_health
from schemas.limits import Limits
from schemas.topics import (
    ANOMALIES,
    EPISODE_TABLE,
    HEALTH,
    SHARD_TABLE,
    SHARDS_PER_PARTITION,
    VITALS,
    shard_key,
    shard_of,
)
from schemas.vitals import Crossing, Late, Message, Pulse, Vitals, decode_vitals

_log = logging.getLogger(__name__)

STUCK_AFTER_S = 60.0
STOP_WITHIN_S = 8.0
_LOOK_EVERY_S = 0.5


class AssessSettings(msgspec.Struct, frozen=True):
    """`instance` names this replica, so that its place in the group outlives a restart; None where it has no name.
    `directory` holds its local state: another one for each replica.
    """

    bootstrap: str
    directory: Path
    instance: str | None
    silence_us: int
    limits: Limits


class Assess:
    """One worker; as many as there are partitions share the work."""

    def __init__(self, settings: AssessSettings, metrics: AssessMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        app = self._app = make_app(settings.bootstrap, settings.directory, settings.instance)
        self._shards = app.tables.add(DurableTable(app, SHARD_TABLE))
        self._records = app.tables.add(DurableTable(app, EPISODE_TABLE))
        self._healths, self._anomalies = bytes_topic(app, HEALTH), bytes_topic(app, ANOMALIES)
        app.agent(bytes_topic(app, VITALS), name="assess", concurrency=1)(self._consume)
        self._generation = -1
        self._next_offset: dict[int, int] = {}
        self._silence_due_us: dict[bytes, int | None] = {}
        self._listening_us: dict[int, tuple[int, int]] = {}
        self._progress_s = time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Assess until `stop`. Raises StopError when something failed that is not the data's fault."""
        await check_topics(self._settings.bootstrap)
        starting = asyncio.create_task(self._app.start())
        stopping = asyncio.create_task(stop.wait())
        try:
            while not (stopping.done() or self._app.crashed or _failure(starting)):
                await asyncio.wait({stopping}, timeout=_LOOK_EVERY_S)
                self._measure()
        finally:
            stopping.cancel()
            await self._end(starting)
        if failure := self._app.crash_reason or _failure(starting):
            raise _explained(failure)

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
        return None if self._assigned() else "no partition is assigned"

    def stuck(self, now_s: float) -> str | None:
        """Stuck is: there are messages, and none was handled for a minute."""
        idle_s, lag = now_s - self._progress_s, self._lag()
        if lag and idle_s > STUCK_AFTER_S:
            return f"{lag} messages wait, and none was handled for {idle_s:.0f} s"
        return None

    def _restored(self) -> bool:
        return self._app.tables.actives_ready and not self._app.rebalancing

    def _assigned(self) -> list[Any]:
        return [tp for tp in self._app.consumer.assignment() if tp.topic == VITALS.name]

    def _lag(self) -> int:
        if not self._restored():
            return 0
        # What was committed before this start is known to Faust from its seek, and not told in public.
        committed = self._app.consumer._committed_offset
        lag = 0
        for tp in self._assigned():
            end, done = self._app.consumer.highwater(tp), self._next_offset.get(tp.partition, committed.get(tp))
            lag += max(end - done, 0) if end is not None and done is not None else 0
        return lag

    def _measure(self) -> None:
        self._notice_rebalance()
        lag = self._lag()
        if not lag:
            self._progress_s = time.monotonic()
        self._metrics.lag.set(lag)
        self._metrics.progress_age_seconds.set(time.monotonic() - self._progress_s)

    def _notice_rebalance(self) -> None:
        """After a rebalance the state of a partition may come from elsewhere: forget what was known of it."""
        if self._app.consumer_generation_id != self._generation:
            self._generation = self._app.consumer_generation_id
            self._next_offset.clear()
            self._silence_due_us.clear()
            self._listening_us.clear()

    async def _consume(self, stream: Any) -> None:
        by_hand = stream.noack()
        async for event in by_hand.events():
            began_s = time.monotonic()
            self._notice_rebalance()
            await self._check_offset(event.message.tp, event.message.offset)
            await self._handle(event.message.partition, event.value or b"")
            await by_hand.ack(event)
            self._next_offset[event.message.partition] = event.message.offset + 1
            self._progress_s = time.monotonic()
            self._metrics.event_seconds.observe(self._progress_s - began_s)

    async def _check_offset(self, tp: Any, offset: int) -> None:
        """Nothing may be left out between what was committed and what comes: better to start again from there."""
        expected = self._next_offset.get(tp.partition)
        if expected is None:
            committed = self._app.consumer._committed_offset.get(tp) or 0
            kept_from = (await self._app.consumer.earliest_offsets(tp))[tp]
            expected = max(committed, kept_from)
            if committed and kept_from > committed:
                _log.error("%d messages of %s are gone by retention unseen", kept_from - committed, tp)
        if offset > expected:
            raise ContractError(f"{tp.topic}/{tp.partition} jumped from offset {expected} to {offset}")

    async def _handle(self, partition: int, value: bytes) -> None:
        try:
            message = decode_vitals(value)
            await self._dispatch(partition, message)
        except RejectError as error:
            self._metrics.rejected.labels(error.reason).inc()
            _log.warning("skipped a message of %s: %s", VITALS.name, error)
            return
        self._metrics.events.labels(type(message).__name__.lower()).inc()

    async def _dispatch(self, partition: int, message: Message) -> None:
        read, silence_us = self._record, self._settings.silence_us
        match message:
            case Vitals():
                limits = self._settings.limits
                key = shard_key(partition, message.shard)
                await self._step(key, partial(assessor.on_window, vitals=message, limits=limits, records=read))
            case Crossing():
                key = shard_key(partition, shard_of(message.robot_id))
                await self._step(key, partial(assessor.on_crossing, crossing=message, records=read))
            case Late():
                for number, seen in assessor.sightings(message).items():
                    key = shard_key(partition, number)
                    await self._step(key, partial(assessor.on_late, seen=seen, silence_us=silence_us, records=read))
            case Pulse():
                pulse = partial(assessor.on_pulse, now_us=message.now_us, silence_us=silence_us, records=read)
                self._listen(partition, message.now_us)
                for number in range(SHARDS_PER_PARTITION):
                    key = shard_key(partition, number)
                    if self._may_be_silent(partition, key, message.now_us):
                        await self._step(key, pulse)
            case _:
                assert_never(message)

    def _listen(self, partition: int, now_us: int) -> None:
        """Keep since when, and until when, the pulses of a partition have come without a gap."""
        since_us, last_us = self._listening_us.get(partition, (now_us, now_us))
        if now_us - last_us > silence.GAP_US:
            since_us = now_us
            self._silence_due_us.clear()
        self._listening_us[partition] = since_us, now_us

    def _may_be_silent(self, partition: int, key: bytes, now_us: int) -> bool:
        """Whether a pulse has anything to do: most have not, and need not even read the state."""
        if key not in self._silence_due_us:
            since_us, _ = self._listening_us[partition]
            self._silence_due_us[key] = silence.due_us(self._shard(key), self._settings.silence_us, since_us)
        due_us = self._silence_due_us[key]
        return due_us is not None and now_us > due_us

    async def _step(self, key: bytes, step: Callable[[Shard], Outcome]) -> None:
        """One pure step on one shard, and everything that follows from it."""
        began_s = time.monotonic()
        outcome = step(self._shard(key))
        self._metrics.step_seconds.observe(time.monotonic() - began_s)
        await self._send(outcome)
        for code, record in outcome.records.items():
            self._records[code.encode()] = episodes.snapshot(record)
        await self._records.durable()
        if outcome.shard is not None:
            packed = snapshot(outcome.shard)
            self._shards[key] = packed
            await self._shards.durable()
            self._silence_due_us.pop(key, None)
            self._metrics.state_bytes.observe(len(packed))
        self._metrics.windows.inc(outcome.windows)
        for (rule, level), count in outcome.findings.items():
            self._metrics.findings.labels(rule, level.name.lower()).inc(count)

    async def _send(self, outcome: Outcome) -> None:
        """Anomalies and health messages, until the broker has them."""
        sent = []
        for anomaly in outcome.anomalies:
            value, headers = encode_anomaly(anomaly)
            key = anomaly.robot_id.encode()
            sent.append(await self._anomalies.send(key=key, value=value, headers=headers))
            self._metrics.transitions.labels(anomaly.rule, anomaly.transition).inc()
        for health in outcome.healths:
            key, value = health.robot_id.encode(), encode_health(health)
            sent.append(await self._healths.send(key=key, value=value))
        await asyncio.gather(*sent)
        self._metrics.healths.inc(len(outcome.healths))

    def _shard(self, key: bytes) -> Shard:
        packed = self._shards.get(key)
        return empty_shard() if packed is None else restore(packed)

    def _record(self, code: str) -> Record:
        return episodes.restore(self._records.get(code.encode()))


def _explained(failure: BaseException) -> RobovitalsError:
    if isinstance(failure, RobovitalsError):
        return failure
    return StopError(f"the assessor failed, its message is left for the next start: {failure!r}")


def _failure(task: "asyncio.Task[None]") -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None
