"""How many robots send with good seals, and how many only with faulty ones, by maker. Pure.

In: the batches of frames as they land. Out: counts of the last full minute, for gauges. Called by
`ingest/writer.py`. A robot that somebody else speaks for still has good frames of its own; one that was given a bad
key has none. What is only noted (policy warn) does not count: there robots without a key are as they should be.
"""

from collections import Counter
from collections.abc import Mapping

from ingest.batch import FrameContent
from ingest.sealed import UNKNOWN

LOOK_OVER_S = 60.0
OTHER = "other"
"""Makers of whom no seal was ever good: anybody can invent them, and a label must not grow by that."""

_MAKER = slice(2, 6)


class SealWatch:
    """`now_s` is monotonic."""

    def __init__(self) -> None:
        self._began_s = 0.0
        self._good: set[str] = set()
        self._faulty: set[str] = set()
        self._makers: set[str] = set()
        self.good: Mapping[str, int] = {}
        self.failing: Mapping[str, int] = {}

    def note(self, content: FrameContent, now_s: float) -> None:
        """A batch has landed."""
        self.look(now_s)
        if content.sealed is not None:
            self._good.update(code.decode() for code in content.sealed.versions)
        refused = (event.robot_id for event in content.events if event.refused)
        self._faulty.update(robot for robot in refused if robot != UNKNOWN)

    def look(self, now_s: float) -> None:
        """End the minute if it is over."""
        if now_s - self._began_s < LOOK_OVER_S:
            return
        good, failing = self._good, self._faulty - self._good
        self._makers |= {code[_MAKER] for code in good}
        self.good = self._by_maker(good)
        self.failing = self._by_maker(failing)
        self._began_s, self._good, self._faulty = now_s, set(), set()

    def _by_maker(self, codes: set[str]) -> dict[str, int]:
        counts = Counter(code[_MAKER] if code[_MAKER] in self._makers else OTHER for code in codes)
        return {maker: counts[maker] for maker in (*self._makers, OTHER)}
