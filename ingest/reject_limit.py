"""When rejects stop being single bad records and become a bad deploy. Pure.

In: the batches as they land. Out: StopError before the batch that goes over a limit. Called by
`ingest/writer.py`.
"""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from ingest.batch import Batch
from schemas.errors import StopError
from schemas.frame import SEAL_REASONS
from schemas.reject import Reject
from schemas.topics import LOGBOOK


class RejectPolicy(msgspec.Struct, frozen=True):
    """`run`: so many rejects of one partition without a good record between them stop the process; `share`: so
    does more than this share of the last `window` records of a topic.

    10 000 in a row are a whole partition gone wrong, not a robot: at 10 000 robots and 1 Hz a partition of
    eight sees that many in 8 s. Half of 20 000 catches what is mixed, such as one bad version on most robots,
    and is out of reach of what single robots can do. Below both, Kafka Connect's and Arroyo's users set limits of
    the same order (`errors.tolerance` knows only none and all; Arroyo's examples have 100 to 1 000 in a row);
    ours are higher since nothing is lost: a reject keeps its bytes, and the point is to stop rerouting a fleet.

    Records that are rejected for their seals count neither as rejects nor as records: else whoever may send at all
    could stop the lander with what is no robot's. Many of those are an alert (`SealsFail`), not a stop. Nothing
    that is sent for a logbook counts either: one author's mistake must not stop a fleet's frames.
    """

    run: int = 10_000
    window: int = 20_000
    share: float = 0.5


@dataclass(slots=True)
class _Recent:
    """How many records of a topic, and how many of them rejects, by batch: the newest that make up a window."""

    parts: deque[tuple[int, int]] = field(default_factory=deque)
    records: int = 0
    rejects: int = 0

    def add(self, records: int, rejects: int, window: int) -> None:
        self.parts.append((records, rejects))
        self.records += records
        self.rejects += rejects
        while self.records - self.parts[0][0] >= window:
            old_records, old_rejects = self.parts.popleft()
            self.records -= old_records
            self.rejects -= old_rejects


class RejectLimit:
    """What has landed lately, by topic and partition. `seed` makes a restarted process go on where it stopped."""

    def __init__(self, policy: RejectPolicy) -> None:
        self.policy = policy
        self._runs: dict[tuple[str, int], int] = {}
        self._recent: dict[str, _Recent] = defaultdict(_Recent)

    def seed(self, topic: str, rejected: Mapping[int, tuple[int, Sequence[int]]]) -> None:
        """Begin anew with what the database knows: by partition the next offset, and which of the `policy.run`
        offsets before it were rejected."""
        records = rejects = 0
        for partition, (next_offset, offsets) in rejected.items():
            bad, run = set(offsets), 0
            while next_offset - 1 - run in bad:
                run += 1
            self._runs[topic, partition] = run
            records += min(next_offset, self.policy.run)
            rejects += len(bad)
        self._recent[topic] = _Recent(deque([(records, rejects)]), records, rejects)

    def check(self, batch: Batch) -> None:
        """Raises StopError when the batch, once landed, would go over a limit. Nothing is noted yet."""
        counted = _counted(batch)
        if not counted:
            return
        policy, topic, last = self.policy, batch.topic, counted[-1]
        example = f"{last.reason}: {last.detail}, at {topic}/{last.partition} offset {last.offset}"
        if max(longest for longest, _ in self._runs_after(batch).values()) >= policy.run:
            raise StopError(
                f"{policy.run} records of {topic} in a row cannot be used ({example}). Nothing more was moved to "
                "reject; correct the sender, or raise ROBOVITALS_REJECT_RUN to land them as rejects all the same"
            )
        recent = self._recent[topic]
        records, rejects = recent.records + _records(batch), recent.rejects + len(counted)
        if records >= policy.window and rejects > policy.share * records:
            raise StopError(
                f"{rejects} of the last {records} records of {topic} cannot be used ({example}). Nothing more was "
                "moved to reject; correct the sender, or raise ROBOVITALS_REJECT_SHARE to land them all the same"
            )

    def note(self, batch: Batch) -> None:
        """The batch has landed."""
        for partition, (_, tail) in self._runs_after(batch).items():
            self._runs[batch.topic, partition] = tail
        self._recent[batch.topic].add(_records(batch), len(_counted(batch)), self.policy.window)

    def _runs_after(self, batch: Batch) -> dict[int, tuple[int, int]]:
        """By partition the longest run of rejects that reaches into this batch, and the one at its end."""
        if not batch.rejects:
            return dict.fromkeys(batch.spans, (0, 0))
        bad = {(reject.partition, reject.offset) for reject in _counted(batch)}
        passed = {(reject.partition, reject.offset) for reject in batch.rejects} - bad
        runs = {p: (0, self._runs.get((batch.topic, p), 0)) for p in batch.spans}
        for record in batch.records:
            place = (record.partition, record.offset)
            if place in passed:
                continue
            longest, tail = runs[record.partition]
            tail = tail + 1 if place in bad else 0
            runs[record.partition] = max(longest, tail), tail
        return runs


def _counted(batch: Batch) -> list[Reject]:
    if batch.topic == LOGBOOK.name:
        return []
    return [reject for reject in batch.rejects if reject.reason not in SEAL_REASONS]


def _records(batch: Batch) -> int:
    return len(batch.records) - len(batch.rejects) + len(_counted(batch))
