"""What a batch of jobs comes to: messages to send, and what of the state is to be written when they are out.

In: jobs in order and the stored state. Out: one `Verdict` or a few, in which each shard and each robot's record is
there once, as the last job left it. Called by `processors/assess_work.py`, which sends and writes it. Pure.

**Each robot is judged at most once in a verdict.** What is stored is written in two steps, the episodes and then
the shards, so a restart may find episodes that are a verdict ahead of their shard. The messages come again, and the
job that spoke of the robot then finds its own episodes: a report applied twice changes nothing. If two jobs of one
verdict had spoken of it, the first would find what the second had made of them, and tell something else. So a job
that `repeats` a robot begins the next verdict.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from processors.assessor import Outcome
from processors.episodes import Record
from processors.findings import Level
from processors.inbox import Job
from processors.shard import Shard
from schemas.anomaly import Anomaly
from schemas.errors import RejectError
from schemas.health import Health

_Robot = tuple[int, str]
"""Partition and code: the key of its episodes."""


class Stored(Protocol):
    """The state as it was written last."""

    def shard(self, partition: int, key: bytes) -> Shard:
        """An empty one where there is none."""

    def record(self, partition: int, code: str) -> Record:
        """An empty one where there is none."""


class Verdict:
    """`shards` and `records` by partition and key or code: what changed. `rejected`: why jobs were skipped."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._judged: set[_Robot] = set()
        self.shards: dict[tuple[int, bytes], Shard] = {}
        self.records: dict[_Robot, Record] = {}
        self.anomalies: list[Anomaly] = []
        self.healths: list[Health] = []
        self.rejected: list[RejectError] = []
        self.windows = 0
        self.findings: Counter[tuple[str, Level]] = Counter()

    def step(self, job: Job) -> "_Stepped":
        """Do a job on the state as the jobs before it left it, which is not changed. Raises RejectError."""
        partition = job.arrival.partition
        judged: set[_Robot] = set()

        def record(code: str) -> Record:
            judged.add((partition, code))
            changed = self.records.get((partition, code))
            return self._stored.record(partition, code) if changed is None else changed

        shard = self.shards.get((partition, job.key)) or self._stored.shard(partition, job.key)
        return _Stepped(job, job.step(shard, records=record), judged)

    def repeats(self, stepped: "_Stepped") -> bool:
        """Whether the job spoke of a robot that an earlier one has spoken of."""
        return not self._judged.isdisjoint(stepped.judged)

    def add(self, stepped: "_Stepped") -> None:
        """Take what came of a job."""
        outcome, partition = stepped.outcome, stepped.job.arrival.partition
        self._judged |= stepped.judged
        self.records.update({(partition, code): record for code, record in outcome.records.items()})
        if outcome.shard is not None:
            self.shards[partition, stepped.job.key] = outcome.shard
        self.anomalies += outcome.anomalies
        self.healths += outcome.healths
        self.windows += outcome.windows
        self.findings += outcome.findings
        self.rejected += outcome.rejected


class _Stepped(NamedTuple):
    """A job and what came of it; `judged` are the robots whose episodes it asked for."""

    job: Job
    outcome: Outcome
    judged: set[_Robot]


def verdicts(jobs: Iterable[Job], stored: Stored) -> Iterator[Verdict]:
    """One for all jobs, or several where they speak of a robot again. Each is made when the last one is written."""
    verdict = Verdict(stored)
    for job in jobs:
        try:
            stepped = verdict.step(job)
        except RejectError as error:
            verdict.rejected.append(error)
            continue
        if verdict.repeats(stepped):
            yield verdict
            verdict = Verdict(stored)
        verdict.add(stepped)
    yield verdict
