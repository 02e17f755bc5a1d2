"""Frames that wait in memory while the spool's disk does not take them.

In: frames in order of their ids. Out: the same, and how many had to go: the oldest first, beyond a number of bytes.
Called by `ingest/agent/spool.py`.
"""

from collections.abc import Container, Iterator

from ingest.agent.record import Spooled


class Waiting:
    """The frame that came last always stays."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._frames: dict[int, Spooled] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Spooled]:
        return iter(self._frames.values())

    def __contains__(self, number: int) -> bool:
        return number in self._frames

    @property
    def used(self) -> float:
        """Share of the limit."""
        return self._bytes / self._max_bytes

    def add(self, frame: Spooled, held: Container[int]) -> int:
        """Out: how many older ones went for it; none of `held` does."""
        self._frames[frame.id] = frame
        self._bytes += len(frame.value)
        dropped = 0
        while self._bytes > self._max_bytes:
            number = next((n for n in self._frames if n not in held and n != frame.id), None)
            if number is None:
                break
            self.remove(number)
            dropped += 1
        return dropped

    def remove(self, number: int) -> bool:
        """Whether it was here."""
        frame = self._frames.pop(number, None)
        if frame is None:
            return False
        self._bytes -= len(frame.value)
        return True

    def clear(self) -> None:
        self._frames.clear()
        self._bytes = 0
