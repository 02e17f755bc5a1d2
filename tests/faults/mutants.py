"""The product made wrong on purpose: each of these must turn the check red, or the check is worth nothing.

In: a mutant's name. Out: a patched product (`PATCHES`, in the process itself, by `faults/child.py`) or tables
without a key (`UNKEYED`, by `faults/world.py`). `faults/testing.py` runs each with the fault that it cannot stand.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

EARLY, UNFENCED, UNKEYED, CLOCK, ACKED = (
    "offset committed early",
    "no fencing",
    "no unique key",
    "server's clock as the time",
    "ack before the state write",
)


def _early() -> None:
    """The lander stores its offsets, and then the rows."""
    from ingest import landing

    move, transaction = landing.move_offsets, landing.Landing._transaction

    async def after_moving(self: Any, batch: Any, deduplicate: bool) -> Any:
        await move(await self._open(), batch.topic, batch.spans)
        return await transaction(self, batch, deduplicate)

    async def nothing(*_: Any) -> set[int]:
        return set()

    landing.Landing._transaction = after_moving  # type: ignore[method-assign]
    landing.move_offsets = nothing  # type: ignore[assignment]


def _unfenced() -> None:
    """The lander moves stored offsets from wherever they are."""
    from ingest import statements

    fenced = " AND landed.next_offset = move.first"
    assert fenced in statements._MOVE_OFFSETS
    statements._MOVE_OFFSETS = statements._MOVE_OFFSETS.replace(fenced, "")


def _clock() -> None:
    """The lander stores when it lands a frame as the frame's time."""
    import numpy as np

    from ingest import batch

    rows = batch.frame_rows

    def now(columns: Any) -> Any:
        now_us = time.time_ns() // 1000 + np.arange(len(columns))
        return rows(dataclasses.replace(columns, time_us=now_us))

    batch.frame_rows = now


def _acked() -> None:
    """The assessor acknowledges and commits a message as soon as it has it."""
    from faust.streams import Stream

    events = Stream.events

    async def early(self: Any) -> Any:
        async for event in events(self):
            await self.ack(event)
            await self.app.consumer.commit()
            yield event

    Stream.events = early


def _nothing() -> None:
    """The mutant is in the tables."""


PATCHES: dict[str, Callable[[], None]] = {
    EARLY: _early,
    UNFENCED: _unfenced,
    UNKEYED: _nothing,
    CLOCK: _clock,
    ACKED: _acked,
}
