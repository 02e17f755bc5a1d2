"""What robots tell of their parts, as intervals: which serial was in a component from when until when. Pure.

In: the columns of a batch of frames; and what is stored of the components that they tell of. Out: the rows to take
away and to put in. Called by `batch.py` and `part_rows.py`.

An interval is a run of reports with one serial in the order of *event* time: from the first of them until the last.
What comes late finds its place: it lengthens a run, stands between two, or parts one. To part a run in the right
place its latest KEPT reports are known; where it is parted before those, only its first report is sure, and what is
left says no more than that. So order does not matter, and a repeat changes nothing.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from schemas.columns import FrameColumns
from schemas.frame import EARLIEST_US

KEPT = 16
"""So many hours of live reports may overtake one from the spool."""
CLOSELY_US = 600_000_000  # for who tells of parts in each frame

# A clock that was never set (EARLIEST_US), or is so far ahead, does not say when a part was in its place. Ours.
AHEAD_US = 600_000_000

PartPlace = tuple[str, str]
"""Robot and component."""


class Report(msgspec.Struct, frozen=True):
    """In this component was the part of this serial at `time_us`."""

    time_us: int
    serial: str


class Run(msgspec.Struct, frozen=True):
    """`recent`: its latest reports, in order; the last of them is its end."""

    serial: str
    first_us: int
    recent: tuple[int, ...]

    @property
    def last_us(self) -> int:
        return self.recent[-1]


Reports = Mapping[PartPlace, Sequence[Report]]


class Change(msgspec.Struct, frozen=True):
    """Rows of one place: `gone` by their first moments, and what comes instead."""

    gone: tuple[int, ...]
    come: tuple[Run, ...]


def reports(columns: FrameColumns) -> dict[PartPlace, list[Report]]:
    """By place, in the order of event time. Of equal ones that follow closely the first and the last are enough."""
    found: dict[PartPlace, list[Report]] = defaultdict(list)
    for row in sorted(columns.parts, key=lambda row: (columns.time_us[row], row)):
        time_us = int(columns.time_us[row])
        if not EARLIEST_US <= time_us <= columns.received_us[row] + AHEAD_US:
            continue
        robot_id = columns.robot_id[row].decode()
        for component, serial in columns.parts[row].items():
            told = found[robot_id, component]
            if _is_between(told, serial, time_us):
                told.pop()
            told.append(Report(time_us, serial))
    return dict(found)


def _is_between(told: Sequence[Report], serial: str, time_us: int) -> bool:
    """Whether the last report says nothing that those around it do not."""
    if len(told) < 2 or not told[-1].serial == told[-2].serial == serial:
        return False
    return time_us - told[-2].time_us < CLOSELY_US


def changed(runs: Iterable[Run], told: Iterable[Report]) -> Change:
    """What reports make of the runs of their place."""
    before = {run.first_us: run for run in runs}
    after = [before[first_us] for first_us in sorted(before)]
    for report in told:
        _take(after, report)
    kept = {run.first_us: run for run in after}
    return Change(
        gone=tuple(first_us for first_us, run in before.items() if kept.get(first_us) != run),
        come=tuple(run for run in after if before.get(run.first_us) != run),
    )


def _take(runs: list[Run], report: Report) -> None:
    """Put one report in its place. Of two serials at one moment the one that came first stays."""
    time_us, serial = report.time_us, report.serial
    at = bisect_left(runs, time_us + 1, key=lambda run: run.first_us) - 1
    before = runs[at] if at >= 0 else None
    after = runs[at + 1] if at + 1 < len(runs) else None
    if before is not None and before.serial == serial:
        runs[at] = _with(before, time_us)
    elif before is not None and time_us in (before.first_us, *before.recent):
        return
    elif before is not None and time_us < before.last_us:
        runs[at : at + 1] = [*_parted(before, time_us, serial)]
    elif after is not None and after.serial == serial:
        runs[at + 1] = _with(after, time_us)
    else:
        runs.insert(at + 1, Run(serial, time_us, (time_us,)))


def _with(run: Run, time_us: int) -> Run:
    recent = tuple(sorted({*run.recent, time_us}))[-KEPT:]
    return Run(run.serial, min(run.first_us, time_us), recent)


def _parted(run: Run, time_us: int, serial: str) -> Iterable[Run]:
    earlier = tuple(us for us in run.recent if us < time_us) or (run.first_us,)
    later = tuple(us for us in run.recent if us > time_us)
    yield Run(run.serial, run.first_us, earlier)
    yield Run(serial, time_us, (time_us,))
    yield Run(run.serial, later[0], later)
