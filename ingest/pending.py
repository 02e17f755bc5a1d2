"""Records that have been read and are not in a batch yet. Pure: `now_s` is handed in.

In: records by topic, as they are polled. Out: which topic's records are due to become a batch. Called by
`ingest/land.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from ingest.batch import Record


class BatchPolicy(msgspec.Struct, frozen=True):
    """When records become a batch: at `records` or `size_bytes`, or after `linger_s` if the database is free.

    A batch's rows take about 1.4 kB a frame until they are written, and three batches are in memory: one being
    written, one waiting, one growing.
    """

    records: int = 8_000
    size_bytes: int = 16 * 1024 * 1024
    linger_s: float = 0.05


@dataclass(slots=True)
class _Growing:
    """The records of one topic; `since_s`: when the first of them came."""

    since_s: float
    records: list[Record] = field(default_factory=list)
    size_bytes: int = 0


class Pending:
    """By topic, bounded: `has_room` says whether more may be read."""

    def __init__(self, policy: BatchPolicy) -> None:
        self._policy = policy
        self._growing: dict[str, _Growing] = {}

    def add(self, topic: str, records: Sequence[Record], now_s: float) -> None:
        """Records in the order of their partitions, behind what is there."""
        growing = self._growing.setdefault(topic, _Growing(now_s))
        growing.records += records
        growing.size_bytes += sum([len(record.value or b"") for record in records])

    def drop(self, topic: str) -> None:
        self._growing.pop(topic, None)

    def clear(self) -> None:
        self._growing.clear()

    def take(self, topic: str) -> list[Record]:
        """The topic's records, for a batch."""
        return self._growing.pop(topic).records

    def records(self, topic: str) -> int:
        """How many records of the topic wait."""
        growing = self._growing.get(topic)
        return len(growing.records) if growing else 0

    def has_room(self, topic: str) -> bool:
        """Whether more of the topic may be read before a batch is taken."""
        growing = self._growing.get(topic)
        return growing is None or not self._is_full(growing)

    def due(self, now_s: float, database_free: bool) -> str | None:
        """The topic that has waited longest of those that are full, or have lingered with the database free."""
        due = [
            (growing.since_s, topic)
            for topic, growing in self._growing.items()
            if self._is_full(growing) or (database_free and now_s - growing.since_s >= self._policy.linger_s)
        ]
        return min(due)[1] if due else None

    def patience_s(self, now_s: float, database_free: bool, longest_s: float) -> float:
        """How long one may wait for more records: until what has come first has lingered."""
        if not self._growing:
            return longest_s
        if not database_free:
            return self._policy.linger_s
        since_s = min(growing.since_s for growing in self._growing.values())
        return min(longest_s, max(0.0, since_s + self._policy.linger_s - now_s))

    def oldest_ms(self, topic: str) -> int | None:
        """The broker's time stamp of the first record."""
        growing = self._growing.get(topic)
        return growing.records[0].timestamp if growing else None

    def _is_full(self, growing: _Growing) -> bool:
        return len(growing.records) >= self._policy.records or growing.size_bytes >= self._policy.size_bytes
