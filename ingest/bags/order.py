"""Messages of several topics put in the order of their event times, with little held.

In: items in the order in which they were recorded. Out: the same in the order of their times, and a `Mark` from
which reading can go on later. Called by `ingest/bags/message_rows.py`. Pure.

A header's stamp is older than the recorder's time by what the message took, which differs from topic to topic: so
what was recorded within HORIZON_US is sorted. What comes later than that goes on at once, out of order: the
pipeline takes it as late.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from ingest.agent.downsample import Summary

HORIZON_US = 2_000_000
MOST_HELD = 20_000  # a kilohertz of five topics; beyond, what is oldest goes on

T = TypeVar("T")


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Where an import stands in a file: of the first `seen` messages from `place`, those that are not after
    `time_us` are in its first `frames` frames; nothing before `place` is needed any more. Counters and mode are the
    last that those frames had.
    """

    frames: int = 0
    place: int = 0
    seen: int = 0
    time_us: int = -1
    runtime_s: int | None = None
    energy_wh: int | None = None
    cycles: int | None = None
    mode: int | None = None


@dataclass(slots=True)
class Placed(Generic[T]):
    """An item with its event time. `place` is its message's; `number` counts messages from the file's beginning or
    from the mark; `place_number` is that of the first message of the same place.
    """

    time_us: int
    place: int
    number: int
    place_number: int
    item: T


class Order(Generic[T]):
    """`push` all in turn and take what `ready` gives after each; `rest` at the end."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Placed[T]]] = []
        self._newest_us = -1
        self._out_us = -1
        self._number = 0
        self._late_number = -1

    def push(self, placed: Placed[T]) -> None:
        if placed.time_us < self._out_us:
            self._late_number = placed.number
        self._newest_us = max(self._newest_us, placed.time_us)
        self._number = placed.number
        heapq.heappush(self._heap, (placed.time_us, placed.number, placed))

    def ready(self) -> Iterator[Placed[T]]:
        """What nothing that is in time can precede any more."""
        while self._heap and (self._heap[0][0] <= self._newest_us - HORIZON_US or len(self._heap) > MOST_HELD):
            yield self._pop()

    def rest(self) -> Iterator[Placed[T]]:
        while self._heap:
            yield self._pop()

    def mark(self, frames: int, last: Summary, unfinished: Placed[T] | None) -> Mark | None:
        """Where to go on after `frames` frames, of which `last` holds the latest; `unfinished`: the first that is
        out of here and in no frame. None: not here, for then the same frames would not come again.
        """
        waiting = [placed for _, _, placed in self._heap]
        waiting += [unfinished] if unfinished else []
        if not waiting or min(placed.time_us for placed in waiting) <= last.time_us:
            return None
        first = min(waiting, key=lambda placed: placed.place_number)
        if self._late_number >= first.place_number:
            return None
        return Mark(
            frames=frames,
            place=first.place,
            seen=self._number + 1 - first.place_number,
            time_us=last.time_us,
            runtime_s=last.runtime_s,
            energy_wh=last.energy_wh,
            cycles=last.cycles,
            mode=last.mode,
        )

    def _pop(self) -> Placed[T]:
        time_us, _, placed = heapq.heappop(self._heap)
        self._out_us = max(self._out_us, time_us)
        return placed
