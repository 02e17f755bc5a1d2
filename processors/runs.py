"""Runs: rows sorted by key, and what is done once a run instead of once a row.

Called by the other arrays of the windows (`cells`, `mixed`, `closing`). Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.columns import Int64

Number = TypeVar("Number", bound=np.generic)

# Runs up to this long are reduced step by step over all runs at once; numpy's reduceat is slow on short ones.
SHORT = 12


@dataclass(frozen=True, slots=True)
class Runs:
    """Where each run of equal keys starts among sorted rows, and how long it is."""

    starts: Int64
    lengths: Int64

    @classmethod
    def of(cls, keys: Int64) -> "Runs":
        """The runs of sorted keys."""
        first = np.ones(len(keys), np.bool_)
        first[1:] = keys[1:] != keys[:-1]
        starts = np.nonzero(first)[0]
        return cls(starts, np.diff(starts, append=len(keys)))

    @staticmethod
    def count(keys: Int64) -> int:
        """How many distinct ones there are among sorted keys."""
        return int(np.count_nonzero(keys[1:] != keys[:-1])) + 1 if len(keys) else 0

    @classmethod
    def of_lengths(cls, lengths: Int64) -> "Runs":
        """Runs one after the other."""
        return cls(np.cumsum(lengths) - lengths, lengths)

    @property
    def lasts(self) -> Int64:
        """The last row of each run."""
        return self.starts + self.lengths - 1

    def steps(self) -> Iterator[tuple[Int64, Int64]]:
        """The second rows of all runs that have one, then the third …: (which runs, which rows)."""
        for step in range(1, int(self.lengths.max(initial=1))):
            longer = np.nonzero(self.lengths > step)[0]
            yield longer, self.starts[longer] + step

    def reduce(self, ufunc: np.ufunc, rows: NDArray[Number]) -> NDArray[Number]:
        """`ufunc` over the rows of each run, in their order; one row a run. May return `rows` itself."""
        longest = int(self.lengths.max(initial=1))
        if longest == 1:
            return rows
        if longest > SHORT:
            return np.asarray(ufunc.reduceat(rows, self.starts, axis=0, dtype=rows.dtype))
        result = rows[self.starts]
        for runs, found in self.steps():
            result[runs] = ufunc(result[runs], rows[found])
        return result


def by_company(keys: Int64, lists: Sequence[Int64]) -> Iterator[tuple[list[int], Int64]]:
    """Group `keys` by which of `lists` hold them: (numbers of the lists, keys that just those hold)."""
    held = np.stack([np.isin(keys, members) for members in lists], axis=1)
    companies, which = np.unique(held, axis=0, return_inverse=True)
    for number, company in enumerate(companies):
        yield np.nonzero(company)[0].tolist(), keys[which.ravel() == number]
