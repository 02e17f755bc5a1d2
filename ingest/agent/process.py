"""The agent's process: one loop that owns source, framer, spool and uplink.

In: a `Setup`. Out: every reading as a frame in the spool, every frame of the spool at the broker, and each second a
status file. Run by `robovitals agent` in the shell of all processes, and by `embedded.py` in a thread.

A stop takes nothing more, sends what is live for FLUSH_S at most, syncs the spool and ends: what was not sent comes
as backlog of the next start.
"""

import asyncio
import logging
import os
import secrets
from contextlib import suppress

from ingest.agent.agent_metrics import AgentMetrics
from ingest.agent.clock import BrokerClock
from ingest.agent.clocks import mono_us, wall_us
from ingest.agent.config import Source
from ingest.agent.config_file import Setup
from ingest.agent.framer import Framer
from ingest.agent.inbox import Inbox
from ingest.agent.link import Acknowledgement
from ingest.agent.ntp import ntp_synchronised
from ingest.agent.reading import Reading, read_line
from ingest.agent.sources import Followed, LineSource, Socket, Stdin
from ingest.agent.spool import Spool, SpoolLimits
from ingest.agent.status import Status, write_status
from ingest.agent.uplink import State, Uplink
from schemas.errors import RejectError
from schemas.frame import Frame, Readings, encode_frame

FLUSH_S = 5.0
TELL_EVERY_US = 1_000_000
NTP_EVERY_US = 10_000_000
EXPIRE_EVERY_US = 60_000_000
STUCK_S = 60.0
BOOT_BITS = 53  # what JavaScript and PostgreSQL hold exactly

_log = logging.getLogger(__name__)


class AgentProcess:
    """`inbox` is there once `run` has begun; `started` is set then. `status` is what was told last."""

    def __init__(self, setup: Setup, metrics: AgentMetrics, with_source: bool = True) -> None:
        self._setup = setup
        self._metrics = metrics
        self._source = _source(setup) if with_source else None
        self._broker_clock = BrokerClock()
        self._framer = Framer(setup.config, setup.robot_id, lambda: secrets.randbits(BOOT_BITS))
        self._started_us = wall_us()
        self._turned_us = self._told_us = self._synced_us = self._expired_us = mono_us()
        self._asked_ntp_us = 0
        self._synchronised: bool | None = None
        self._period_us = round(1e6 / setup.config.rate_hz)
        self._made = self._acknowledged = self._bad_lines = self._jumps = self._lost_readings = 0
        self._last_bad_line = ""
        self._acknowledged_us: int | None = None
        self._latency_ms: float | None = None
        self.status: Status | None = None
        self.started = asyncio.Event()

    def not_ready(self) -> str | None:
        if not self.started.is_set():
            return "the spool is being opened"
        return None if self._uplink.state in (State.ONLINE, State.THROTTLED) else f"Kafka: {self._uplink.error}"

    def stuck(self, now_s: float) -> str | None:
        """Kafka's absence is no reason to be restarted."""
        idle_s = (mono_us() - self._turned_us) / 1e6
        return f"the agent's loop has not turned for {idle_s:.0f} s" if idle_s > STUCK_S else None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`, or until standard input has ended. Raises SettingError."""
        config = self._setup.config
        limits = SpoolLimits(int(config.spool.most_mb * 1e6), config.spool.most_days * 86_400)
        self._spool = Spool.open(self._setup.spool, limits, wall_us())
        self._tell_what_was_found()
        self.inbox = Inbox(asyncio.get_running_loop(), self._period_us)
        self._uplink = Uplink(self._setup, self._spool, self._take_acknowledgement)
        sending = asyncio.create_task(self._uplink.run(), name="uplink")
        reading = asyncio.create_task(self._read(), name="source")
        self._tell()
        self.started.set()
        try:
            while not stop.is_set() and not reading.done() and not sending.done():
                await self._turn()
            for task in (reading, sending):
                if task.done():
                    task.result()
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
            self._finish()
            self._uplink.finish(FLUSH_S)
            try:
                await sending
            finally:
                self.inbox.abandon()  # a thread that was just putting one when it was closed
                self._note_lost()
                self._spool.sync()
                self._tell()
                self._spool.close()

    async def _read(self) -> None:
        if self._source is None:
            await asyncio.Event().wait()
        else:
            await self._source.run(self.take_line)

    def take_line(self, line: bytes) -> str | None:
        """What is wrong with it, or None."""
        try:
            self.inbox.put(read_line(line, self._setup.config))
        except RejectError as error:
            self.note_bad(str(error))
            return str(error)
        return None

    def note_bad(self, wrong: str) -> None:
        self._bad_lines += 1
        self._metrics.bad_lines.inc()
        self._last_bad_line = wrong

    async def _turn(self) -> None:
        arrived = await self.inbox.take(self._wait_us() / 1e6)
        now_us = self._turned_us = mono_us()
        self._note_lost()
        own = self._own() if arrived else {}
        for reading, reading_wall_us, reading_mono_us in arrived:
            self._take(reading, reading_wall_us, reading_mono_us, own)
        self._keep(self._framer.due(now_us, self._spool.dropped))
        if now_us - self._synced_us >= self._setup.config.spool.sync_s * 1e6:
            self._synced_us = now_us
            self._spool.sync()
        if now_us - self._told_us >= TELL_EVERY_US:
            self._told_us = now_us
            self._tell()
        if now_us - self._expired_us >= EXPIRE_EVERY_US:
            self._expired_us = now_us
            self._expire()

    def _wait_us(self) -> int:
        """Until the period ends that something waits for."""
        if not self._framer.waits:
            return TELL_EVERY_US
        return min(TELL_EVERY_US, self._period_us - mono_us() % self._period_us)

    def _expire(self) -> None:
        """By a clock that somebody vouches for: one that jumps ahead must not cost the spool."""
        offset_ms = self._offset_ms()
        if offset_ms is not None:
            self._spool.expire(wall_us() - round(offset_ms * 1000))
        elif self._synchronised:
            self._spool.expire(wall_us())

    def _take(self, reading: Reading, reading_wall_us: int, reading_mono_us: int, own: Readings) -> None:
        try:
            made = self._framer.take(reading, reading_wall_us, reading_mono_us, own, self._spool.dropped)
        except RejectError as error:
            self.note_bad(str(error))
            return
        if made.jumped_us:
            self._jumps += 1
            _log.warning("this machine's clock jumped by %+.1f s", made.jumped_us / 1e6)
        self._keep(made.frames)

    def _keep(self, frames: list[Frame]) -> None:
        """Into the spool first, then to whoever sends."""
        for frame in frames:
            value = encode_frame(frame)
            self._spool.append(value, frame.seq, frame.boot_id, frame.time_us)
            if (spooled := self._spool.newest()) is not None:
                self._uplink.offer(spooled)
            self._made += 1
            self._metrics.frames.inc()

    def _finish(self) -> None:
        """What has arrived and was not looked at yet, and the period that runs."""
        self.inbox.close()
        self._note_lost()
        own = self._own()
        for reading, reading_wall_us, reading_mono_us in self.inbox.rest():
            self._take(reading, reading_wall_us, reading_mono_us, own)
        self._keep(self._framer.flush(self._spool.dropped))

    def _note_lost(self) -> None:
        """What overflowed before it became a frame."""
        lost = self.inbox.lost()
        self._lost_readings += lost.readings
        self._metrics.lost_readings.inc(lost.readings)
        self._spool.count_dropped(lost.frames)

    def _own(self) -> Readings:
        """The agent's own vital signs."""
        now_us = mono_us()
        if now_us - self._asked_ntp_us >= NTP_EVERY_US or not self._asked_ntp_us:
            self._asked_ntp_us, self._synchronised = now_us, ntp_synchronised()
        return {
            "clock_offset_ms": self._offset_ms(),
            "clock_synchronised": None if self._synchronised is None else float(self._synchronised),
            "spool_used": self.status.spool_used if self.status else None,  # of this second: SQLite is asked for it
            "spool_frames": float(self._spool.frames),
            "agent_reconnects": float(self._uplink.reconnects),
            "publish_latency_ms": self._latency_ms,
        }

    def _offset_ms(self) -> float | None:
        offset = self._broker_clock.offset(wall_us(), mono_us())
        return None if offset is None else offset.offset_us / 1000

    def _take_acknowledgement(self, of: Acknowledgement) -> None:
        self._broker_clock.acknowledged(of.sent_mono_us, of.acked_mono_us, of.broker_us)
        self._acknowledged += 1
        self._metrics.acknowledged.inc()
        self._acknowledged_us = wall_us()
        self._latency_ms = (of.acked_mono_us - of.sent_mono_us) / 1000

    def _tell(self) -> None:
        """To the status file and the metrics."""
        self.status = status = self._status()
        for gauge, value in (
            (self._metrics.dropped, status.dropped or 0),
            (self._metrics.spool_frames, status.spool_frames),
            (self._metrics.spool_used, status.spool_used),
            (self._metrics.connected, status.state in (State.ONLINE, State.THROTTLED)),
            (self._metrics.reconnects, status.reconnects),
            (self._metrics.latency_seconds, (status.latency_ms or 0) / 1000),
            (self._metrics.clock_offset_seconds, (status.clock_offset_ms or 0) / 1000),
        ):
            gauge.set(value)
        try:
            write_status(self._setup.status_path, status)
        except OSError as error:
            _log.debug("no status file: %s", error)  # a full or read-only disk, which the status would tell

    def _status(self) -> Status:
        return Status(
            robot_id=self._setup.robot_id,
            pid=os.getpid(),
            written_us=wall_us(),
            started_us=self._started_us,
            state=self._uplink.state.value,
            error=self._uplink.error,
            frames_made=self._made,
            acknowledged=self._acknowledged,
            acknowledged_us=self._acknowledged_us,
            latency_ms=self._latency_ms,
            spool_frames=self._spool.frames,
            spool_used=self._spool.used,
            spool_state=self._spool.state,
            dropped=self._spool.dropped,
            bad_lines=self._bad_lines,
            last_bad_line=self._last_bad_line,
            reconnects=self._uplink.reconnects,
            throttled_ms=self._uplink.throttled_ms,
            clock_offset_ms=self._offset_ms(),
            clock_synchronised=self._synchronised,
            clock_jumps=self._jumps,
            lost_readings=self._lost_readings,
        )

    def _tell_what_was_found(self) -> None:
        found = self._spool.opened
        if found.remade:
            _log.error("the spool was damaged: %s", found.remade)
        if found.lost_bytes:
            _log.warning("the spool lost %d bytes", found.lost_bytes)
        if found.frames:
            _log.info("%d frames wait in the spool", found.frames)


def _source(setup: Setup) -> LineSource:
    of: Source = setup.config.source
    if of.kind == "stdin" or setup.source_path is None:
        return Stdin()
    return Socket(setup.source_path) if of.kind == "socket" else Followed(setup.source_path)
