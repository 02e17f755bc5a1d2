"""The repairer: windows that miss frames are computed again from the rows, so that vitals end equal to them.

In: marks in `late_window`, rows of `frame`. Out: repaired Vitals, on the partition of the mark's frames. The second
loop of `robovitals summarise`; of several replicas one works, by an advisory lock. A database that does not answer
is waited for, and the summariser goes on meanwhile.

A mark is due once its frame has landed: its window is read, published, and the mark deleted if it has not grown.
While a window is open its rows may be fewer than the frames that its final message will count, and that would take
the repaired one's place. So such a window is noted in `repair_again`, and repaired once more when it has closed and
all that it counted has landed. Which windows have closed, and what had been read by then, is what the summarisers
commit (`schemas.watermark.Resume`). A partition whose watermark stands closes none, for as long as it stands: there
the note also brings a repair whenever its window has more rows than its vitals count, and stays.

Repairing is given a share of the time, whatever waits: it is in the process, and on the machine, of what is live.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence

import asyncpg

from processors import repair_tables as tables
from processors.repair_tables import Connection, Mark
from processors.rows import Recount
from processors.summarise_metrics import SummariseMetrics
from processors.transient import look_until
from schemas.vitals import LATE_REASONS, Vitals
from schemas.watermark import NO_WATERMARK, Resume

LOOK_EVERY_S = 1.0
REST = 4.0  # for each second of work so many of rest: a fifth of the time
LONGEST_REST_S = 5.0
TIME_AT_ONCE_US = 2_000_000_000  # windows of so much time are read together: some thousand rows
# Summarisers commit every second: a watermark that has not moved for so long is one that stands.
STANDS_AFTER_S = 3.0
CONNECT_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 60.0

WINDOW_CLOSED = LATE_REASONS[0]

Publish = Callable[[int, Sequence[Vitals]], Awaitable[None]]
Commits = Callable[[], Awaitable[Mapping[int, Resume]]]


class Closed:
    """Up to which end windows have closed, of each partition, with all that they counted landed.

    A commit says up to where had been read when its windows had closed; it holds from when that has landed. The
    next one is looked at only then, for under load the newest is always a little ahead of what has landed.
    `now_s` is monotonic.
    """

    def __init__(self) -> None:
        self.until_us: dict[int, int] = {}
        self._waiting: dict[int, Resume] = {}
        self._moved: dict[int, tuple[int, float]] = {}  # to which watermark, and when

    def look(self, commits: Mapping[int, Resume], landed: Mapping[int, int], now_s: float) -> None:
        """Take note of what is committed and what has landed by now."""
        for partition, newest in commits.items():
            if partition not in self._moved or self._moved[partition][0] != newest.closed_us:
                self._moved[partition] = newest.closed_us, now_s
            resume = self._waiting.setdefault(partition, newest)
            if landed.get(partition, 0) >= resume.read_to:
                self.until_us[partition] = max(resume.ended_us, self.until_us.get(partition, NO_WATERMARK))
                del self._waiting[partition]

    def stands_us(self, now_s: float) -> dict[int, int]:
        """The watermarks of partitions that close no windows at present, since none of their clocks goes on."""
        return {p: at_us for p, (at_us, moved_s) in self._moved.items() if now_s - moved_s >= STANDS_AFTER_S}


def rest_s(worked_s: float) -> float:
    """How long to rest after so much work."""
    return min(REST * worked_s, LONGEST_REST_S)


class Pace:
    """Rests in proportion to the time that has passed since the last rest. `worked_s` is all that time."""

    def __init__(self) -> None:
        self.worked_s = 0.0
        self._began_s = time.monotonic()

    async def rest(self) -> None:
        took_s = time.monotonic() - self._began_s
        self.worked_s += took_s
        await asyncio.sleep(rest_s(took_s))
        self._began_s = time.monotonic()


class Repairer:
    """`publish` returns when a partition's messages are acknowledged; `commits` asks for the group's commits."""

    def __init__(self, database_url: str, metrics: SummariseMetrics, publish: Publish, commits: Commits) -> None:
        self._database_url = database_url
        self._metrics = metrics
        self._publish = publish
        self._commits = commits
        self._closed = Closed()
        self._counted_s = -LOOK_EVERY_S
        self._connection: Connection | None = None
        self._ours = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises StopError when Kafka does not take a message."""
        try:
            await look_until(stop, "repair", self._turn, self._disconnect, self._metrics.repair_retries)
        finally:
            self._disconnect()

    async def _turn(self) -> float:
        """A look, and how long to pause after it."""
        return 0.0 if await self._look() else LOOK_EVERY_S

    async def _look(self) -> bool:
        """Repair what is due. Returns whether there is probably more."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._database_url, timeout=CONNECT_TIMEOUT_S, command_timeout=STATEMENT_TIMEOUT_S
            )
            self._ours = False
        connection = self._connection
        self._ours = self._ours or await tables.is_ours(connection)
        if not self._ours:
            return False
        pace = Pace()
        commits, now_s = await self._commits(), time.monotonic()
        self._closed.look(commits, await tables.landed(connection), now_s)
        if time.monotonic() - self._counted_s > LOOK_EVERY_S:
            self._metrics.marks_waiting.set(await tables.waiting(connection))
            self._counted_s = time.monotonic()
        due = await tables.due(connection, self._closed.until_us, self._closed.stands_us(now_s))
        groups: dict[tuple[int, int], list[Mark]] = defaultdict(list)
        for mark in due:
            groups[mark.partition, mark.length_us].append(mark)
        for (partition, length_us), marks in groups.items():
            size = max(1, TIME_AT_ONCE_US // length_us)
            for first in range(0, len(marks), size):
                await self._repair(connection, partition, length_us, marks[first : first + size], pace)
        self._metrics.repair_seconds.inc(pace.worked_s)
        # Notes that stay are due until what was published has landed: they are no reason not to pause.
        done = [mark for mark in due if mark.frame_offset is not None or self._has_closed(mark)]
        return len(done) >= tables.MARKS_AT_ONCE

    async def _repair(
        self, connection: Connection, partition: int, length_us: int, marks: list[Mark], pace: Pace
    ) -> None:
        again = [mark for mark in marks if not self._has_closed(mark)]
        recount = Recount(length_us)
        async for rows in tables.rows(connection, marks):
            recount.add(rows)
            await pace.rest()
        await self._publish(partition, recount.vitals())
        await tables.finish(connection, marks, again)
        self._metrics.repairs.inc(len(marks))
        await pace.rest()

    def _has_closed(self, mark: Mark) -> bool:
        """Whether all that the live window counted has landed. What came too late came after all of it."""
        if mark.reason == WINDOW_CLOSED:
            return True
        return mark.start_us + mark.length_us <= self._closed.until_us.get(mark.partition, NO_WATERMARK)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
