"""The spool: every frame lies on the robot's disk before it is sent, until the broker has acknowledged it.

In: frames' bytes from the agent, and what was acknowledged. Out: frames to send, oldest or newest; how full it is
and how many were dropped. Called by the agent, one call at a time (from any thread). Its file is
`ingest/agent/store.py`, what happens to a damaged one is in `salvage.py`.

What it promises. An appended frame outlives `kill -9` at once and a power cut with the next `sync`, so a power cut
costs what was appended since the last one (a second, by default), and nothing else. Acknowledgements go to disk
with `sync` as well: after a cut such a frame may be sent twice, which the database tells by its key. No
(boot_id, seq) is used twice: each start draws a new boot_id. What is dropped is counted in the same transaction as
it is deleted.

What does not work is a state, not an exception: while the disk is full, read-only or broken, new frames are kept in
memory, oldest dropped first, and written by the first `sync` that succeeds. Only a spool that another process has
open raises (SettingError).

Frames that are handed out (`oldest`, `newest`) are held: handed out to nobody else and never dropped, so that none
is counted as dropped and delivered as well, until they are acknowledged, given back, or dropped by the caller.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from ingest.agent.disk_errors import DamageError, DiskError, State
from ingest.agent.ids import IdRanges
from ingest.agent.record import Spooled, from_row
from ingest.agent.salvage import finish, remake
from ingest.agent.store import Store, Tally
from ingest.agent.waiting import Waiting
from schemas.frame import EARLIEST_US

# An hour of frames of half a kilobyte at 2 Hz, and small beside what Python takes.
MEMORY_BYTES = 4 << 20
# So much of the spool goes at once when it is full, so that one frame in 200 pays for it and not each.
DROP_SHARE = 200
EXPIRE_AT_ONCE = 10_000
# Making a file anew takes seconds, so one that could not be made is tried again only so often.
REMAKE_EVERY_SYNCS = 60
SLACK_BYTES = 8192  # what a frame takes besides its value: pages are filled to the brim seldom
UNREACHED_ID = 1 << 40  # where ids begin if the file cannot be opened: above those in the file
_log = logging.getLogger("robovitals")


class SpoolLimits(msgspec.Struct, frozen=True):
    """`max_bytes` is what frames take of the file; beside it SQLite's log takes up to 4 MB. `max_age_s` is by event
    time."""

    max_bytes: int
    max_age_s: float


class Opened(msgspec.Struct, frozen=True):
    """What was found: frames that wait, bytes of the log that a power cut tore off, and, where the file was damaged
    and made anew, a line that says so."""

    frames: int
    lost_bytes: int
    remade: str | None


class Spool:
    """See the file's docstring. `state` says how the disk is, `detail` why, `remade` what was last made anew."""

    def __init__(self, path: Path, limits: SpoolLimits, now_us: int) -> None:
        """`open` is the way in."""
        self.state: State = "ok"
        self.detail = ""
        self.remade: str | None = None
        self._path, self._limits, self._now_us = path, limits, now_us
        self._store: Store | None = None
        self._next_id = 1
        self._newest: Spooled | None = None
        self._held: set[int] = set()
        self._acked = IdRanges()  # of those in the file
        self._cursor = 1  # in the file, all ids below it are held, acknowledged or gone
        self._memory = Waiting(min(MEMORY_BYTES, limits.max_bytes // 2))
        self._uncounted = 0  # dropped, and not in the file's tally yet
        self._unsynced = False
        self._known: Tally | None = None  # of a file that could not be made anew yet
        self._syncs_to_wait = 0
        store = self._reach()
        if store is None:
            self._next_id = UNREACHED_ID
        elif self._next_id > UNREACHED_ID and not self.frames:
            self._start_ids_again(store)
        self.opened = Opened(self.frames, store.torn_bytes if store else 0, self.remade)

    @classmethod
    def open(cls, path: Path, limits: SpoolLimits, now_us: int) -> "Spool":
        """Open the spool or make one; `opened` says what was found. `now_us` names a file that is set aside."""
        return cls(path, limits, now_us)

    @property
    def frames(self) -> int:
        """How many wait, those handed out included."""
        return (self._tally.frames if self._tally else 0) - len(self._acked) + len(self._memory)

    @property
    def dropped(self) -> int | None:
        """How many were dropped in the life of the spool; None while the file that counts them cannot be read."""
        return self._tally.dropped + self._uncounted if self._tally else None

    @property
    def used(self) -> float:
        """Share of the limit, 0 to 1: of the disk's, or of memory's while that is what fills up."""
        try:
            on_disk = self._store.used_bytes() / self._limits.max_bytes if self._store else 0.0
        except DiskError:
            on_disk = 0.0
        return min(1.0, max(self._memory.used, on_disk))

    def append(self, value: bytes, seq: int, boot_id: int, time_us: int) -> int:
        """Take a frame; out: its id. When this returns it outlives `kill -9`, unless `state` is not "ok"."""
        frame = Spooled(self._next_id, boot_id, seq, time_us, value)
        self._next_id += 1
        self._newest = frame
        if not self._write(frame):
            self._uncounted += self._memory.add(frame, self._held)
        return frame.id

    def newest(self) -> Spooled | None:
        """Hand out the frame that was appended last, if it waits and nobody has it: what is live goes first."""
        frame = self._newest
        if frame is None or frame.id in self._held:
            return None
        self._newest = None
        self._held.add(frame.id)
        return frame

    def oldest(self, count: int) -> list[Spooled]:
        """Hand out the oldest frames that wait and that nobody has, in order."""
        found = self._from_disk(count)
        for frame in self._memory:
            if len(found) >= count:
                break
            if frame.id not in self._held:
                found.append(frame)
        self._held.update(frame.id for frame in found)
        if self._newest is not None and self._newest.id in self._held:
            self._newest = None
        return found

    def acknowledge(self, ids: Iterable[int]) -> None:
        """The broker has these. What was given back meanwhile is not taken: it will be sent again."""
        for number in ids:
            if number in self._held:
                self._held.remove(number)
                if not self._memory.remove(number):
                    self._acked.add(number)

    def give_back(self, ids: Iterable[int]) -> None:
        """These could not be sent: they wait again."""
        for number in ids:
            if number in self._held:
                self._held.remove(number)
                self._cursor = min(self._cursor, number)

    def drop(self, ids: Iterable[int]) -> None:
        """These can never be sent (too large for the broker): count them as dropped."""
        for number in ids:
            if number in self._held:
                self.acknowledge((number,))
                self._uncounted += 1

    def count_dropped(self, frames: int) -> None:
        """Frames that were dropped before they came here."""
        self._uncounted += frames

    def expire(self, now_us: int) -> None:
        """Drop what is older than the limit, by a clock that the caller believes: call it while the broker or NTP
        vouches for it, or a jump of the clock would cost the spool. Frames from a clock that was never set stay."""
        before_us = now_us - round(self._limits.max_age_s * 1e6)
        try:
            if self._store is None:
                return
            old = IdRanges()
            for number, time_us in self._store.first_times(EXPIRE_AT_ONCE):
                if time_us >= before_us:
                    break
                if time_us >= EARLIEST_US and number not in self._held and number not in self._acked:
                    old.add(number)
            if self._newest is not None and self._newest.id in old:
                self._newest = None
            if old:
                self._settle(self._store, expired=old)
        except DiskError as error:
            self._met(error)

    def sync(self) -> None:
        """Make safe from a power cut what was appended and acknowledged, and try a disk that did not work."""
        try:
            if self._store is None:
                self._syncs_to_wait -= 1
                if self._syncs_to_wait <= 0:
                    self._reach()
            if self._store is not None and (self._unsynced or self._acked or self._memory or self._uncounted):
                self._settle(self._store, durable=True)
                self._store.make_small()
        except DiskError as error:
            self._met(error)

    def close(self) -> None:
        """Sync, and let the file go. What is in memory only, because the disk does not work, is lost."""
        self.sync()
        if self._store is not None:
            with suppress(DiskError):
                self._store.close()

    @property
    def _tally(self) -> Tally | None:
        return self._store.tally if self._store else self._known

    def _write(self, frame: Spooled) -> bool:
        """Whether it is on the disk now."""
        store = self._store
        if store is None or self.state != "ok" or self._memory:
            return False
        try:
            fits = store.used_bytes() + len(frame.value) + SLACK_BYTES <= self._limits.max_bytes
            if fits and store.tally.next_id == frame.id:
                store.append(frame)
                self._unsynced = True
            else:
                self._settle(store, added=[frame])
        except DiskError as error:
            self._met(error)
            return False
        return True

    def _settle(
        self, store: Store, *, added: Iterable[Spooled] = (), expired: IdRanges | None = None, durable: bool = False
    ) -> None:
        """Everything that is not on the disk yet, in one transaction."""
        frames = [*self._memory, *added]
        with store.transaction(durable=durable):
            store.delete(self._acked)
            store.delete(expired or (), dropped=True)
            store.count_dropped(self._uncounted)
            if frames:
                self._make_room(store, sum(len(frame.value) for frame in frames) + SLACK_BYTES)
                store.add(frames)
            store.reserve(self._next_id)
        self._acked.clear()
        self._memory.clear()
        self._uncounted = 0
        self._unsynced = not durable
        self._say("ok", "")

    def _make_room(self, store: Store, value_bytes: int) -> None:
        """Drop the oldest frames that nobody has, until so much fits."""
        while store.tally.frames and store.used_bytes() + value_bytes > self._limits.max_bytes:
            share = max(1, store.tally.frames // DROP_SHARE)
            free = [number for number in store.first_ids(share + len(self._held)) if number not in self._held]
            if not free:
                return
            oldest = IdRanges()
            for number in free[:share]:
                oldest.add(number)
            if not store.delete(oldest, dropped=True):
                raise DamageError("what it lists cannot be deleted")

    def _from_disk(self, count: int) -> list[Spooled]:
        for _ in ("as it is", "made anew"):
            if self._store is None:
                break
            try:
                return self._read(self._store, count)
            except DiskError as error:
                self._met(error)
        return []

    def _read(self, store: Store, count: int) -> list[Spooled]:
        """From the file, at most so many; what is damaged there is dropped and counted."""
        found: list[Spooled] = []
        cursor, ended = self._cursor, False
        while len(found) < count and not ended:
            wanted = count - len(found)
            rows = store.read(cursor, wanted)
            ended = len(rows) < wanted
            for row in rows:
                number = row[0]
                if number < cursor:
                    raise DamageError("its frames are out of order")
                cursor = number + 1
                if number in self._held or number in self._acked:
                    continue
                frame = from_row(row)
                if frame is not None:
                    found.append(frame)
                else:
                    self._acked.add(number)
                    self._uncounted += 1
        nothing_left = ended and not found and not self._acked and all(n in self._memory for n in self._held)
        if nothing_left and store.tally.frames:
            raise DamageError(f"{store.tally.frames} frames that it counts are not there")
        self._cursor = cursor
        return found

    def _start_ids_again(self, store: Store) -> None:
        """Nothing has an id now: leave the high ones to the next time that the file cannot be opened."""
        with suppress(DiskError), store.transaction():
            store.reserve(1)
            self._next_id = 1

    def _reach(self) -> Store | None:
        """Open the file, made anew where it is damaged."""
        try:
            finish(self._path)
            self._take(Store.open(self._path))
        except DiskError as error:
            self._met(error)
        return self._store

    def _take(self, store: Store) -> None:
        """From now on this is the file."""
        first = next(iter(self._memory), None)
        if first is not None and first.id < store.tally.next_id:
            store.close()
            raise DiskError("read-only", "it came back with ids that are in use: start the agent again")
        self._store, self._known, self._cursor = store, None, 1
        self._next_id = max(self._next_id, store.tally.next_id)
        self._say("ok", "")

    def _met(self, error: DiskError) -> None:
        """Go on as well as it can be: a damaged file is made anew, everything else is waited out."""
        if not isinstance(error, DamageError):
            self._say(error.state, error.detail)
            return
        if self._store is not None:
            self._known = self._store.tally
            with suppress(DiskError):
                self._store.close()
            self._store = None
        try:
            store, self.remade = remake(self._path, self._now_us, self._known, self._acked, error.detail)
            self._acked.clear()
            self._take(store)
            _log.warning("%s", self.remade)
        except DiskError as failed:
            self._syncs_to_wait = REMAKE_EVERY_SYNCS
            self._say("damaged", failed.detail)

    def _say(self, state: State, detail: str) -> None:
        if state != self.state:
            _log.warning("the spool's disk is %s%s", state, f": {detail}" if detail else " again")
        self.state, self.detail = state, detail
