"""The assessor's state: two Faust tables, and the shards of this worker unpacked beside them.

In: what a verdict changed. Out: shards and episodes as they were written last, for `processors/verdict.py`. Called
by `processors/assess_work.py`. A shard is unpacked once after a restart or a rebalance: of a robot with 36
limits that is 0.4 kB, and with what the detectors of its 29 joints remember (`processors/slow.py`) 15 to 35 kB.
"""

import faust

from processors import episodes, slow
from processors.episodes import Record
from processors.faust_app import DurableTable
from processors.shard import Shard, empty_shard, restore, snapshot
from schemas.topics import EPISODE_TABLE, SHARD_TABLE


def _bucket(key: bytes, number: int) -> bytes:
    """The key of a part of a shard's slow state."""
    return key + b"/%d" % number


class AssessState:
    """See `verdict.Stored`."""

    def __init__(self, app: faust.App) -> None:
        self._shards = app.tables.add(DurableTable(app, SHARD_TABLE))
        self._records = app.tables.add(DurableTable(app, EPISODE_TABLE))
        self._unpacked: dict[tuple[int, bytes], Shard] = {}

    def forget(self) -> None:
        """After a rebalance the state of a partition may come from elsewhere."""
        self._unpacked.clear()

    def shard(self, partition: int, key: bytes) -> Shard:
        """An empty one where there is none."""
        if (partition, key) not in self._unpacked:
            packed = self._shards.read(partition, key)
            buckets = (self._shards.read(partition, _bucket(key, number)) for number in range(slow.BUCKETS))
            remembered = slow.restore(bucket for bucket in buckets if bucket is not None)
            self._unpacked[partition, key] = empty_shard() if packed is None else restore(packed, remembered)
        return self._unpacked[partition, key]

    def record(self, partition: int, code: str) -> Record:
        """An empty one where there is none."""
        return episodes.restore(self._records.read(partition, code.encode()))

    async def write_records(self, records: dict[tuple[int, str], Record]) -> None:
        """Until the broker has them."""
        for (partition, code), record in records.items():
            self._records.write(partition, code.encode(), episodes.snapshot(record))
        await self._records.durable()

    async def write_shards(self, shards: dict[tuple[int, bytes], Shard]) -> list[int]:
        """Until the broker has them. Returns the size of each, packed."""
        sizes = []
        for (partition, key), shard in shards.items():
            parts: dict[bytes, bytes] = {}
            # First, so that a shard is never ahead of what its detectors remember; that knows what it has judged.
            before = self.shard(partition, key).slow
            if shard.slow is not None and shard.slow is not before:
                packed_by = slow.snapshots(shard.slow, before)
                parts = {_bucket(key, number): packed for number, packed in packed_by.items()}
            for name, packed in (parts | {key: snapshot(shard)}).items():
                self._shards.write(partition, name, packed)
                sizes.append(len(packed))
            self._unpacked[partition, key] = shard
        await self._shards.durable()
        return sizes
