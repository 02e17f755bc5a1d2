"""A set of ids that takes room by its gaps, not by its members.

In: ids, mostly one after the other. Out: the same as ranges, for one DELETE each. Called by `ingest/agent/spool.py`
which notes here what the broker has acknowledged: 600 000 ids of a backlog that drains are one range.
"""

from bisect import bisect_right
from collections.abc import Iterator


class IdRanges:
    """Ranges are kept apart and in order: no two touch."""

    def __init__(self) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        self._count = 0

    def __len__(self) -> int:
        """How many ids, not how many ranges."""
        return self._count

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._first, number) - 1
        return at >= 0 and number <= self._last[at]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """First and last id of each range."""
        return zip(self._first, self._last, strict=True)

    def add(self, number: int) -> None:
        """Adding one that is there already changes nothing."""
        at = bisect_right(self._first, number)
        if at and number <= self._last[at - 1]:
            return
        self._count += 1
        joins_before = at > 0 and self._last[at - 1] == number - 1
        joins_after = at < len(self._first) and self._first[at] == number + 1
        if joins_before and joins_after:
            self._last[at - 1] = self._last.pop(at)
            del self._first[at]
        elif joins_before:
            self._last[at - 1] = number
        elif joins_after:
            self._first[at] = number
        else:
            self._first.insert(at, number)
            self._last.insert(at, number)

    def clear(self) -> None:
        self._first.clear()
        self._last.clear()
        self._count = 0
