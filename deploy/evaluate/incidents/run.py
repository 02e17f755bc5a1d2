"""Incidents of known cause through the verdict: the table of confusion, as docs/incidents.md has it.

In: how many, a seed. Out: counts by true cause and verdict. Called by `deploy/commands/evaluate.py`.
"""

from collections import Counter
from collections.abc import Mapping

import msgspec
import numpy as np

from deploy.evaluate.incidents.scenarios import Kind, make
from deploy.progress import Progress
from processors.incident.verdict import VERSION, assess
from schemas.incident import Verdict

RIGHT = {Kind.SOFTWARE: Verdict.SOFTWARE, Kind.MAINTENANCE: Verdict.MAINTENANCE, Kind.BOTH: Verdict.BOTH}
_HALVES = (Verdict.SOFTWARE, Verdict.MAINTENANCE)


class Confusion(msgspec.Struct, frozen=True):
    """`counts` by true kind and verdict."""

    incidents: int
    seed: int
    version: int
    counts: Mapping[Kind, Mapping[Verdict, int]]

    def right(self, kind: Kind) -> int:
        return self.counts[kind].get(RIGHT.get(kind, Verdict.UNDETERMINED), 0)

    def half(self, kind: Kind) -> int:
        """One of two causes: true as far as it goes."""
        return sum(self.counts[kind].get(verdict, 0) for verdict in _HALVES) if kind is Kind.BOTH else 0

    def wrong(self, kind: Kind) -> int:
        """Something indicated that was not the cause. Of a cause whose data is not whole: anything indicated."""
        indicated = sum(n for verdict, n in self.counts[kind].items() if verdict is not Verdict.UNDETERMINED)
        return indicated - self.half(kind) - (self.right(kind) if kind in RIGHT else 0)

    @property
    def wrongs(self) -> int:
        return sum(self.wrong(kind) for kind in self.counts)


def run(incidents: int, seed: int, progress: Progress) -> Confusion:
    """As many of each kind, as far as it goes."""
    kinds = list(Kind)
    counts: dict[Kind, Counter[Verdict]] = {kind: Counter() for kind in kinds}
    seeds = np.random.SeedSequence(seed).generate_state(incidents, np.uint64)
    for number in range(incidents):
        kind = kinds[number % len(kinds)]
        counts[kind][assess(make(kind, int(seeds[number]))).verdict] += 1
        progress(number + 1, incidents)
    return Confusion(incidents, seed, VERSION, counts)
