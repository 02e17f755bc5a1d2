"""The lander: every write to TimescaleDB that comes from a topic.

In: frames, vitals, health, anomalies, actions and entries of logbooks from Kafka. Out: their rows, exactly once.
`robovitals land` runs it under `deploy/shell.py`.

The loop reads and decodes while `ingest/writer.py` writes the batch before. Where it reads from is what the
database says (`landed`), never what the group has committed: after each assignment it seeks there. A batch grows
for as long as the database is busy: small when all is quiet, large behind a backlog.
"""

import asyncio
import gc
import logging
import time
from collections.abc import Iterable, Sequence
from functools import partial

import msgspec
from aiokafka import ConsumerRebalanceListener, TopicPartition
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingest.batch import LANDED_TOPICS, Record, make_batch
from ingest.land_metrics import LandMetrics
from ingest.landing import Landing
from ingest.pending import BatchPolicy, Pending
from ingest.positions import Position, stored_positions, unlanded
from ingest.progress import Progress
from ingest.publish_rejects import RejectPublisher
from ingest.reject_limit import RejectLimit, RejectPolicy
from ingest.source import POLL_TIMEOUT_S, Source
from ingest.writer import Writer
from schemas.errors import RetryError, UnavailableError
from schemas.kafka import Kafka
from schemas.keyring import Keyring
from schemas.topics import LOGBOOK

# Records come and go by the ten thousand and hold no cycles: at Python's defaults a tenth of the time goes into
# looking for some.
GARBAGE_THRESHOLDS = (50_000, 20, 100)

HOUSEKEEPING_S = 5.0
STOP_TIMEOUT_S = 10.0

_log = logging.getLogger(__name__)


class LandSettings(msgspec.Struct, frozen=True):
    """`instance` makes the group membership static: a lander that comes back under the same name within the
    session time-out goes on at once. No two that run may share it.
    """

    kafka: Kafka
    database_url: str
    instance: str | None = None
    rejects: RejectPolicy = RejectPolicy()
    batches: BatchPolicy = BatchPolicy()


class Lander(ConsumerRebalanceListener):  # type: ignore[misc]
    """The loop. A `Process` of `deploy/shell.py`. `keyring`: what frames are verified with; None: they are not.

    `platform`: what links of logbooks are sealed with. Without it their topic is left to a lander that has it:
    frames must land all the same, and entries wait in Kafka.
    """

    def __init__(
        self,
        settings: LandSettings,
        metrics: LandMetrics,
        keyring: Keyring | None = None,
        platform: Ed25519PrivateKey | None = None,
    ) -> None:
        self._settings = settings
        self._topics = tuple(topic for topic in LANDED_TOPICS if platform is not None or topic != LOGBOOK.name)
        self._keyring = keyring
        self._metrics = metrics
        self._landing = Landing(settings.database_url, platform)
        self._rejects = RejectPublisher(settings.kafka)
        self._limit = RejectLimit(settings.rejects)
        self._progress = Progress(time.monotonic())
        self._writer = Writer(self._landing, self._rejects, self._limit, metrics, self._progress)
        self._pending = Pending(settings.batches)
        self._source: Source | None = None
        # Of each partition that is ours the next offset to put into a batch; those that have yet to be sought; and
        # those of which nothing has been read since.
        self._next: dict[TopicPartition, int] = {}
        self._unsought: set[TopicPartition] = set()
        self._unread: dict[TopicPartition, Position] = {}
        self._assignments = 0
        self._paused = False
        self._problem: str | None = "starting"
        self._kept_house_s = 0.0
        self._expose()

    def _expose(self) -> None:
        """The gauges that are read off at each scrape."""
        metrics, pending = self._metrics, self._pending
        metrics.progress_age_seconds.set_function(lambda: self._progress.age_s(time.monotonic()))
        metrics.waiting_batches.set_function(lambda: self._writer.waiting)
        for topic in self._topics:
            metrics.buffered_records.labels(topic).set_function(partial(pending.records, topic))

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises StopError when going on would harm."""
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        if LOGBOOK.name not in self._topics:
            _log.warning("no platform's key: entries on %s wait for a lander that has one", LOGBOOK.name)
        self._source = source = Source(self._settings.kafka, self._topics, self._settings.instance, self)
        try:
            try:
                await self._landing.connect()
            except RetryError as error:
                raise UnavailableError(f"{error}: `robovitals doctor`") from None
            await source.start(stop)
            while not stop.is_set():
                await self._turn(source)
        finally:
            self._problem = "stopping"
            await self._writer.stop(STOP_TIMEOUT_S)
            await self._rejects.close()
            await self._landing.close()
            await source.stop()

    def not_ready(self) -> str | None:
        """For /readyz."""
        return self._problem or self._writer.outage

    def stuck(self, now_s: float) -> str | None:
        """For /healthz. A database that does not answer is no reason to restart the lander."""
        return self._progress.stuck(now_s, excused=self._writer.outage is not None)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Whoever gets them begins at the stored offsets. A batch that is being written may still end."""
        self._assignments += 1
        self._problem = "partitions are being assigned"
        self._next.clear()
        self._unsought.clear()
        self._unread.clear()
        self._pending.clear()
        await self._writer.drop(STOP_TIMEOUT_S / 2)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """The loop seeks them: waiting for the database here would cost the membership."""
        self._assignments += 1
        self._unsought = set(assigned)
        # Counted anew once they are sought: until then nothing can land, and a restart would not help.
        self._progress.waits(0, time.monotonic())
        if not self._unsought:
            self._problem = "no partition is assigned: there are more landers than partitions"
        if self._source is not None:
            self._source.pause(self._unsought)

    async def _turn(self, source: Source) -> None:
        self._progress.turned(time.monotonic())
        self._writer.check()
        for topic in self._writer.fenced:
            self._begin_again(topic)
        self._writer.fenced.clear()
        if self._unsought:
            await self._seek(source)
        self._pause_or_resume(source)
        await self._write()
        await self._read(source)
        if time.monotonic() - self._kept_house_s > HOUSEKEEPING_S:
            await self._keep_house(source)

    def _begin_again(self, topic: str) -> None:
        """After another lander has moved the topic's offsets."""
        again = {tp for tp in self._next if tp.topic == topic}
        self._unsought |= again
        self._pending.drop(topic)
        for tp in again:
            del self._next[tp]

    async def _seek(self, source: Source) -> None:
        assignments, wanted = self._assignments, set(self._unsought)
        try:
            if self._keyring is not None and not self._keyring.known:
                raise RetryError("it is not known yet which seals are required")
            positions = await stored_positions(source, self._landing, self._limit, wanted)
        except RetryError as error:
            if self._problem != str(error):
                _log.warning("cannot begin yet: %s", error)
            self._problem = str(error)
            await asyncio.sleep(POLL_TIMEOUT_S)
            return
        if assignments != self._assignments:
            return  # meanwhile they were assigned anew
        source.seek({tp: position.read_from for tp, position in positions.items()})
        nexts = {tp: position.next for tp, position in positions.items()}
        self._paused = False
        self._unread |= positions
        self._next |= nexts
        self._writer.begin(nexts)
        self._unsought -= wanted
        self._problem = None
        _log.info("landing %d partitions", len(self._next))

    def _pause_or_resume(self, source: Source) -> None:
        """While the database is out polls go on, without reading: they are what keeps the membership."""
        out = self._writer.outage is not None
        if self._next and out != self._paused:
            (source.pause if out else source.resume)(self._next)
            self._paused = out

    async def _write(self) -> None:
        """Hand a batch to the writer: one is being written, one waits behind it, and records wait for the next.

        It is made in a thread, or the one that is being written would have to wait for it.
        """
        if self._paused or self._writer.waiting > 1:
            return
        topic = self._pending.due(time.monotonic(), database_free=not self._writer.waiting)
        if topic is None:
            return
        assignments = self._assignments
        firsts = {tp.partition: offset for tp, offset in self._next.items() if tp.topic == topic}
        batch = await asyncio.to_thread(make_batch, topic, self._pending.take(topic), firsts, self._keyring)
        if assignments == self._assignments and topic not in self._writer.fenced:
            self._next |= {TopicPartition(topic, p): span.next for p, span in batch.spans.items()}
            self._writer.submit(batch)

    async def _read(self, source: Source) -> None:
        """Poll the topics that have room; while none has, wait for the writer."""
        wanted = [tp for tp in self._next if self._pending.has_room(tp.topic)]
        self._metrics.paused_partitions.set(len(self._next if self._paused else self._next.keys() - wanted))
        if self._next and not wanted and not self._paused:
            await self._writer.ended(POLL_TIMEOUT_S)
            return
        patience_s = self._pending.patience_s(time.monotonic(), not self._writer.waiting, POLL_TIMEOUT_S)
        polled = await source.poll(wanted, patience_s)
        now_s = time.monotonic()
        for tp, records in polled.items():
            if tp in self._next and (new := self._new(tp, records)):
                self._pending.add(tp.topic, new, now_s)

    def _new(self, tp: TopicPartition, records: Sequence[Record]) -> Sequence[Record]:
        position = self._unread.pop(tp, None)
        return records if position is None else unlanded(tp, position, records)

    async def _keep_house(self, source: Source) -> None:
        """What waits in Kafka, and the group's offsets for whoever looks from outside."""
        self._kept_house_s = time.monotonic()
        landed = {tp: self._writer.landed[tp] for tp in self._next}
        if not landed:
            return
        try:
            ends = await source.ends(landed)
            await source.commit(landed)
        except RetryError as error:
            _log.debug("housekeeping: %s", error)
            return
        lags = {tp: max(0, end - landed[tp]) for tp, end in ends.items()}
        self._progress.waits(sum(lags.values()), time.monotonic())
        for topic in self._topics:
            self._metrics.lag_records.labels(topic).set(sum(lag for tp, lag in lags.items() if tp.topic == topic))
            oldest_ms = self._writer.oldest_ms(topic) or self._pending.oldest_ms(topic)
            self._metrics.lag_seconds.labels(topic).set(time.time() - oldest_ms / 1000 if oldest_ms else 0)
