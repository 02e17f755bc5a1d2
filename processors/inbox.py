"""What was read from `telemetry.vitals` and is not handled yet: what comes next, and what may be acknowledged.

In: messages in the order of their offsets, each with its jobs, one for each shard that it touches. Out: jobs to do
together, then the messages to acknowledge. Called by `processors/assess_work.py`. Pure.

**The order.** Jobs of one shard are handed out in the order of their messages, always: an episode's id follows from
its first sign, whichever of a crossing and a window that is. Shards share no state (a robot and its episodes belong
to one), so between them any order tells the same. That is used for one thing: a crossing goes ahead of other
shards' windows, and takes along only what its own shard has waiting before it. When the windows of a large fleet
close, that is a few of hundreds.

**Acknowledged** is in the order of offsets, each only when all before it in its partition are handled, since Faust
commits past a gap: `Consumer._new_offset` allows one message between what is committed and what it commits, and
any number before the first commit.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from processors.steps import Step

# Faust holds back as many messages again as its buffer has room for (`faust_app`), and aiokafka its fetches.
MAX_WAITING_BYTES = 96 * 1024 * 1024
MAX_WAITING = 10_000


@dataclass(slots=True, eq=False)
class Arrival:
    """A message: where it is from, its size, when it was written and when it came (s), what acknowledges it."""

    partition: int
    offset: int
    size_bytes: int
    written_s: float
    came_s: float
    event: Any
    open_jobs: int = 0


@dataclass(slots=True, eq=False)
class Job:
    """What is to be done to the shard `key` for a message."""

    arrival: Arrival
    key: bytes
    step: Step
    size_bytes: int
    taken: bool = field(default=False)


class Inbox:
    def __init__(self) -> None:
        self._line: deque[Job] = deque()
        self._ahead: deque[Job] = deque()
        self._of_shard: dict[bytes, deque[Job]] = {}
        self._of_partition: dict[int, deque[Arrival]] = {}
        self.waiting = 0
        self.waiting_bytes = 0

    @property
    def full(self) -> bool:
        """No more should come until some are acknowledged."""
        return self.waiting_bytes >= MAX_WAITING_BYTES or self.waiting >= MAX_WAITING

    def add(self, arrival: Arrival, steps: Iterable[tuple[bytes, Step]], goes_ahead: bool) -> None:
        """One more message, the next of its partition; without steps it only waits to be acknowledged."""
        found = list(steps)
        arrival.open_jobs = len(found)
        for key, step in found:
            job = Job(arrival, key, step, arrival.size_bytes // len(found))
            self._line.append(job)
            self._of_shard.setdefault(key, deque()).append(job)
            if goes_ahead:
                self._ahead.append(job)
        self._of_partition.setdefault(arrival.partition, deque()).append(arrival)
        self.waiting += 1
        self.waiting_bytes += arrival.size_bytes

    def take(self, max_jobs: int, max_bytes: int) -> list[Job]:
        """The next jobs, as many as the limits allow, and one at least if there is one."""
        taken: list[Job] = []
        size_bytes = 0
        while len(taken) < max_jobs and (job := self._next()):
            if taken and size_bytes + job.size_bytes > max_bytes:
                break
            job.taken = True
            taken.append(job)
            size_bytes += job.size_bytes
            queue = self._of_shard[job.key]
            queue.popleft()
            if not queue:
                del self._of_shard[job.key]
        return taken

    def _next(self) -> Job | None:
        """The first of its shard that waits: of the shard of a crossing, or of whoever came first."""
        for line in (self._ahead, self._line):
            while line and line[0].taken:
                line.popleft()
            if line:
                return self._of_shard[line[0].key][0]
        return None

    def finish(self, jobs: Iterable[Job]) -> list[Arrival]:
        """These are done. Returns the messages to acknowledge, in the order of their offsets."""
        for job in jobs:
            job.arrival.open_jobs -= 1
        finished = []
        for arrivals in self._of_partition.values():
            while arrivals and not arrivals[0].open_jobs:
                finished.append(arrivals.popleft())
        self.waiting -= len(finished)
        self.waiting_bytes -= sum(arrival.size_bytes for arrival in finished)
        return finished

    def oldest_s(self) -> float | None:
        """When the oldest message that waits was written; None when none waits."""
        return min((arrivals[0].written_s for arrivals in self._of_partition.values() if arrivals), default=None)
