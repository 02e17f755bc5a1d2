"""How well flags meet labels: row by row, and episode by episode.

In: a series' labels, flags and times, block by block. Out: `Counts`. Pure; called by `deploy/evaluate/csv_file.py`
and the recordings. The two views answer different questions and are never mixed:

- **point-wise**: each row counts. A detector that flags a fault a minute late loses that minute's rows.
- **event-wise**: a labelled episode is a run of rows labelled 1; it is found if any of its rows is flagged, and its
  delay is from its first row to the first flagged one. A flagged episode is a run of flagged rows; it is false if
  none of its rows is labelled 1.

Rows without a label (blank) count in no view, and neither begin nor end an episode.
"""

from dataclasses import dataclass, field
from statistics import median

import numpy as np
from numpy.typing import NDArray

from schemas.columns import Int64

US_PER_S = 1_000_000


@dataclass(slots=True)
class Episode:
    """A labelled run: its rows by number, and the first flagged row's delay, None if missed."""

    first_row: int
    first_us: int
    rows: int = 0
    delay_rows: int | None = None
    delay_s: float | None = None


@dataclass(slots=True)
class Counts:
    """Everything that the figures follow from."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0
    unlabelled: int = 0
    episodes: list[Episode] = field(default_factory=list)
    flagged_episodes: int = 0
    false_episodes: int = 0

    def add(self, other: "Counts") -> None:
        """Another series' counts beside these."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def rows(self) -> int:
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    @property
    def precision(self) -> float | None:
        return share(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float | None:
        return share(self.true_positive, self.true_positive + self.false_negative)

    @property
    def f1(self) -> float | None:
        """None where nothing is labelled and nothing flagged."""
        return share(2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative)

    @property
    def false_alarm_rate(self) -> float | None:
        """Of the healthy rows, those flagged."""
        return share(self.false_positive, self.false_positive + self.true_negative)

    @property
    def missed_rate(self) -> float | None:
        """Of the faulty rows, those not flagged."""
        return share(self.false_negative, self.true_positive + self.false_negative)

    @property
    def found(self) -> list[Episode]:
        return [episode for episode in self.episodes if episode.delay_rows is not None]

    @property
    def event_recall(self) -> float | None:
        return share(len(self.found), len(self.episodes))

    @property
    def event_precision(self) -> float | None:
        return share(self.flagged_episodes - self.false_episodes, self.flagged_episodes)

    @property
    def median_delay_rows(self) -> float | None:
        return median(e.delay_rows or 0 for e in self.found) if self.found else None

    @property
    def median_delay_s(self) -> float | None:
        return median(e.delay_s or 0.0 for e in self.found) if self.found else None


def share(part: float, whole: float) -> float | None:
    """None where there is nothing to have a share of."""
    return part / whole if whole else None


class Tally:
    """Counts one series as its rows come."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._row = 0
        self._episode: Episode | None = None
        self._flagged = False
        self._flagged_right = False

    def take(self, labels: NDArray[np.int8], flags: NDArray[np.bool_], time_us: Int64) -> None:
        """More rows, in order. Labels -1 where nobody knows."""
        known = labels >= 0
        faulty = labels == 1
        counts = self.counts
        counts.true_positive += int((faulty & flags).sum())
        counts.false_negative += int((faulty & ~flags).sum())
        counts.false_positive += int((known & ~faulty & flags).sum())
        counts.true_negative += int((known & ~faulty & ~flags).sum())
        counts.unlabelled += int((~known).sum())
        numbers = self._row + np.arange(len(labels))
        self._row += len(labels)
        if not known.all():
            numbers, faulty, flags, time_us = numbers[known], faulty[known], flags[known], time_us[known]
        self._labelled(numbers, faulty, flags, time_us)
        self._flags(faulty, flags)

    def end(self) -> Counts:
        """No more rows: the run that is open is counted too."""
        if self._flagged:
            self._flagged = False
            self.counts.false_episodes += not self._flagged_right
        return self.counts

    def _labelled(
        self, numbers: Int64, faulty: NDArray[np.bool_], flags: NDArray[np.bool_], time_us: Int64
    ) -> None:
        for first, end in _runs(faulty):
            if first > 0 or self._episode is None:
                self._episode = Episode(int(numbers[first]), int(time_us[first]))
                self.counts.episodes.append(self._episode)
            episode = self._episode
            episode.rows += end - first
            flagged = np.nonzero(flags[first:end])[0]
            if episode.delay_rows is None and len(flagged):
                at = first + int(flagged[0])
                episode.delay_rows = int(numbers[at]) - episode.first_row
                episode.delay_s = (int(time_us[at]) - episode.first_us) / US_PER_S
        if len(faulty) and not faulty[-1]:
            self._episode = None

    def _flags(self, faulty: NDArray[np.bool_], flags: NDArray[np.bool_]) -> None:
        for first, end in _runs(flags):
            if first > 0 or not self._flagged:
                self.end()
                self._flagged, self._flagged_right = True, False
                self.counts.flagged_episodes += 1
            self._flagged_right |= bool(faulty[first:end].any())
        if len(flags) and not flags[-1]:
            self.end()


def _runs(true: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and past-the-last place of each run."""
    edges = np.diff(true.astype(np.int8), prepend=0, append=0)
    starts, ends = np.nonzero(edges == 1)[0], np.nonzero(edges == -1)[0]
    return list(zip(starts.tolist(), ends.tolist(), strict=True))
