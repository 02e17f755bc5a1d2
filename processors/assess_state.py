"""The assessor's state: two Faust tables, and the shards of this worker unpacked beside them.

In: what a verdict changed. Out: shards and episodes as they were written last, for `processors/verdict.py`. Called
by `processors/assess_work.py`. A shard is unpacked once after a restart or a rebalance: 100 000 robots with 36
limits each are 40 MB.
"""

import faust

from processors import episodes
from processors.episodes import Record
from processors.faust_app import DurableTable
from processors.shard import Shard, empty_shard, restore, snapshot
from schemas.topics import EPISODE_TABLE, SHARD_TABLE


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
            self._unpacked[partition, key] = empty_shard() if packed is None else restore(packed)
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
            packed = snapshot(shard)
            self._shards.write(partition, key, packed)
            self._unpacked[partition, key] = shard
            sizes.append(len(packed))
        await self._shards.durable()
        return sizes
