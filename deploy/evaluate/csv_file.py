"""`robovitals evaluate --csv`: one pass over a user's file.

In: a file, the names of its columns, and how many rows are known to be healthy. Out: a `Result`, and on the way a
line of scores for each row. Called by `deploy/commands/evaluate.py`.
"""

import csv
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import msgspec
import numpy as np

from deploy.evaluate.metrics import Counts, Tally
from deploy.evaluate.stream import Ruler, Scored, Scorer
from deploy.evaluate.table import Block, Names, Table, open_table
from deploy.progress import Progress
from processors.detectors.tracks import Track
from processors.detectors.tuning import SHORTEST, commissioned, rolling
from schemas.columns import Int64
from schemas.errors import SettingError


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the pass showed. `counts` is None for a file without labels."""

    file: str
    columns: tuple[str, ...]
    rows: int
    train_rows: int
    learning_rows: int
    flagged_rows: int
    flagged_episodes: int
    flagged_by_rule: dict[str, int]
    counts: Counts | None
    blank_times: int
    times_back: int
    times_repeated: int
    not_numbers: dict[str, str]
    seconds: float

    @property
    def rows_per_s(self) -> float:
        return self.rows / self.seconds


def evaluate(path: Path, names: Names, train_rows: int | None, out: Path | None, progress: Progress) -> Result:
    """Raises SettingError for what is wrong with the file, OSError for a file that cannot be read or written."""
    if train_rows is not None and train_rows < SHORTEST:
        raise SettingError(f"--train-rows {train_rows}: give a number of rows, {SHORTEST} or more, or leave it out")
    if out is not None and out.exists() and path.exists() and out.samefile(path):
        raise SettingError(f"--out {out}: that is the file that is read")
    size = path.stat().st_size
    with open_table(path, names) as table, _writing(out) as lines:
        run = _Run(table, names, train_rows, lines)
        for block in table.blocks():
            run.take(block)
            progress(table.position(), size)
        return run.result(path)


@contextmanager
def _writing(out: Path | None) -> Iterator[TextIO | None]:
    """A file that is there once it is whole, and not before."""
    if out is None:
        yield None
        return
    unfinished = out.with_name(out.name + ".part")
    try:
        with unfinished.open("w", encoding="utf-8", errors="surrogateescape", newline="") as lines:
            yield lines
        os.replace(unfinished, out)
    finally:
        unfinished.unlink(missing_ok=True)


class _Run:
    def __init__(self, table: Table, names: Names, train_rows: int | None, lines: TextIO | None) -> None:
        self._table, self._names = table, names
        self._train_rows = train_rows or 0
        tuning = commissioned(train_rows) if train_rows else rolling()
        self._scorer = Scorer([Track(name, 0) for name in names.values], tuning)
        self._ruler = Ruler(len(names.values), tuning.commissioning)
        self._tally = Tally()
        self._lines = csv.writer(lines, lineterminator="\n") if lines else None
        if self._lines:
            self._lines.writerow(("time", "score", "flag"))
        self._began_s = time.perf_counter()
        self._rows = self._learning = self._back = self._repeated = 0
        self._by_rule: Counter[str] = Counter()
        self._last_us: int | None = None
        self._seen = np.zeros(len(names.values), bool)

    def take(self, block: Block) -> None:
        scored = self._scorer.score(block.time_us, self._ruler.measure(block.values))
        if self._lines:
            score = np.char.mod("%.4f", scored.score.astype(np.float64)).tolist()
            self._lines.writerows(zip(block.times, score, scored.flag.astype(np.int8).tolist(), strict=True))
        self._order(block.time_us)
        self._seen |= ~np.isnan(block.values).all(axis=0)
        skipped = min(max(self._train_rows - self._rows, 0), len(block.times))
        self._rows += len(block.times)
        self._count(block, scored, skipped)

    def _count(self, block: Block, scored: Scored, skipped: int) -> None:
        """The figures, without the rows that were said to be for training."""
        self._learning += int((~scored.ready).sum())
        self._by_rule.update(dict(zip(scored.rules, scored.by_rule[skipped:].sum(axis=0).tolist(), strict=True)))
        labels = block.labels if block.labels is not None else np.zeros(len(block.times), np.int8)
        self._tally.take(labels[skipped:], scored.flag[skipped:], block.time_us[skipped:])

    def _order(self, time_us: Int64) -> None:
        steps = np.diff(time_us, prepend=time_us[0] if self._last_us is None else self._last_us)
        steps = steps[1:] if self._last_us is None else steps
        self._back += int((steps < 0).sum())
        self._repeated += int((steps == 0).sum())
        self._last_us = int(time_us[-1])

    def result(self, path: Path) -> Result:
        """Raises SettingError for a file that has nothing to judge."""
        if not self._rows:
            raise SettingError(f"{path}: there is no row under the header")
        for name, seen in zip(self._names.values, self._seen, strict=True):
            if not seen:
                refused = self._table.numbers[name].first_refused
                raise SettingError(
                    f"{path}: column {name!r} holds no number" + (f", but {refused[1]!r}" if refused else "")
                )
        counts = self._tally.end()
        not_numbers = {
            name: f"{numbers.refused}, the first {numbers.first_refused[1]!r} in line {numbers.first_refused[0]}"
            for name, numbers in self._table.numbers.items()
            if numbers.first_refused
        }
        return Result(
            file=str(path),
            columns=self._names.values,
            rows=self._rows,
            train_rows=min(self._train_rows, self._rows),
            learning_rows=self._learning,
            flagged_rows=counts.true_positive + counts.false_positive,
            flagged_episodes=counts.flagged_episodes,
            flagged_by_rule=dict(self._by_rule),
            counts=counts if self._names.label is not None else None,
            blank_times=self._table.blank_times,
            times_back=self._back,
            times_repeated=self._repeated,
            not_numbers=not_numbers,
            seconds=time.perf_counter() - self._began_s,
        )
