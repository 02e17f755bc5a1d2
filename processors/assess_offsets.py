"""How far the assessor has come in each partition of `telemetry.vitals`, and that nothing was left out on the way.

In: messages as they come and as they are acknowledged. Out: how many are left; an error where some were skipped.
Called by `processors/assess_work.py`.
"""

import logging
from typing import Any

import faust

from schemas.errors import ContractError
from schemas.topics import VITALS

_log = logging.getLogger(__name__)


class Offsets:
    def __init__(self, app: faust.App) -> None:
        self._app = app
        self._expected: dict[int, int] = {}
        self._done: dict[int, int] = {}

    def forget(self) -> None:
        """After a rebalance reading begins anew where it was committed."""
        self._expected.clear()
        self._done.clear()

    async def came(self, tp: Any, offset: int) -> None:
        """Nothing may be left out between what was committed and what comes: better to start again from there.

        Raises ContractError.
        """
        expected = self._expected.get(tp.partition)
        if expected is None:
            committed = self._app.consumer._committed_offset.get(tp) or 0
            kept_from = (await self._app.consumer.earliest_offsets(tp))[tp]
            expected = max(committed, kept_from)
            if committed and kept_from > committed:
                _log.error("%d messages of %s are gone by retention unseen", kept_from - committed, tp)
        if offset > expected:
            raise ContractError(f"{tp.topic}/{tp.partition} jumped from offset {expected} to {offset}")
        self._expected[tp.partition] = offset + 1

    def done(self, partition: int, offset: int) -> None:
        """All of the partition up to this offset is acknowledged."""
        self._done[partition] = offset + 1

    def assigned(self) -> list[Any]:
        """The partitions that are this worker's."""
        return [tp for tp in self._app.consumer.assignment() if tp.topic == VITALS.name]

    def left(self) -> int:
        """Messages of these partitions that are not acknowledged."""
        # What was committed before this start is known to Faust from its seek, and not told in public.
        committed = self._app.consumer._committed_offset
        left = 0
        for tp in self.assigned():
            end, done = self._app.consumer.highwater(tp), self._done.get(tp.partition, committed.get(tp))
            left += max(end - done, 0) if end is not None and done is not None else 0
        return left
