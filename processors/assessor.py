"""What the assessor does with each kind of message: state in, state and messages out.

In: the state of a shard, a message of `telemetry.vitals` (already decoded), and a way to read the episodes of a
robot. Out: an `Outcome`: what to send, then what to write. Called by `processors/assess.py`, which owns tables
and topics.

- A **final** window is judged once: the state holds the last start that it has seen of each robot, so a repeat
  changes nothing.
- A **provisional** window (its partition has gone quiet) may raise an alarm, since a robot that has just stopped
  still deserves it, but no warning, and it ends nothing. The detectors forget it again, so its final one is judged
  as if it were the first sight; both raise the same episode.
- A **repaired** window is left out, and of a window that holds only backfill only the last sight is taken.
- A **crossing** raises at once and leaves the matrix alone; the window that it lies in carries it on. One that
  lies before the end of the last window judged is a repeat.
- A **late** mark tells of the robot's clock, and that the robot is not silent.
- A **pulse** tells who is silent.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from processors import epochs, health, lifecycle, timers
from processors.detectors import clock, limit, silence
from processors.detectors.arrays import exact
from processors.episodes import Record, Robot
from processors.findings import LIMIT, MODE, NOTHING, Finding, Level, Report
from processors.shard import NEVER, Shard, widened, with_rows
from processors.shard_window import ShardWindow, columns_of, components_of, models_of, read_window
from schemas.anomaly import Anomaly
from schemas.columns import Int64
from schemas.errors import RejectError
from schemas.health import Health
from schemas.limits import Limits
from schemas.robot_code import CODE_LENGTH
from schemas.signals import SIGNAL, Component
from schemas.topics import shard_of
from schemas.vitals import FINAL, LATE_REASONS, MODE_SIGNAL, PROVISIONAL, REPAIRED, Crossing, Late, Vitals

Records = Callable[[str], Record]

_CLOCK_AHEAD = LATE_REASONS.index("clock_ahead")


@dataclass(slots=True)
class Outcome:
    """`shard` and `records` are to be written after the messages are out. `shard` is None where it is unchanged.
    `rejected`: why an action was skipped.
    """

    shard: Shard | None = None
    records: dict[str, Record] = field(default_factory=dict)
    anomalies: list[Anomaly] = field(default_factory=list)
    healths: list[Health] = field(default_factory=list)
    windows: int = 0
    findings: Counter[tuple[str, Level]] = field(default_factory=Counter)
    rejected: list[RejectError] = field(default_factory=list)


def on_window(shard: Shard, vitals: Vitals, limits: Limits, records: Records) -> Outcome:
    """One window of a shard and layout. Raises RejectError where its arrays disagree."""
    if vitals.kind == REPAIRED:
        return Outcome()
    window = read_window(vitals)
    models, _ = models_of(window.robots)
    columns = columns_of(window.layout, tuple(models), limits)
    wide = widened(shard, window.robots, columns, components_of(window.layout), epochs.tracks_of(window.layout))
    rows = wide.rows(window.robots)
    before, heard = silence.heard(wide, rows, window.columns["last_time_us"], window.columns["received_us"])
    is_live = window.columns["frames"] > window.columns["backfill_frames"]
    judged = is_live & (window.start_us > before.window_us[rows])
    if before is shard and not judged.any():
        return Outcome()
    after, found, new = _judged(before, rows[judged], window.only(judged), limits)
    reports: dict[int, list[Report]] = {int(rows[at]): [report] for at, report in heard.items()}
    judged_rows = rows[judged].tolist()
    for at, more in found.items():
        reports.setdefault(judged_rows[at], []).extend(more)
    # A provisional window says the same again and again: it is told only where it brought something.
    final = window.kind == FINAL
    always = {*rows[judged][new].tolist(), *(reports if final else rows[list(heard)].tolist())}
    told = _Telling(after, records)
    for row in sorted(reports.keys() | always):
        time_us = window.end_us if final else int(after.last_time_us[row])
        told.tell(row, reports.get(row, []), time_us, row in always)
    return told.outcome(after, windows=len(judged_rows))


def _judged(
    shard: Shard, rows: Int64, window: ShardWindow, limits: Limits
) -> tuple[Shard, dict[int, list[Report]], NDArray[np.bool_]]:
    """The state after the detectors, their reports by position, and for whom there is something new to say."""
    if not len(rows):
        return shard, {}, np.zeros(0, bool)
    due = health.due(shard, rows, window)
    after, found = limit.step(shard, rows, window, limits, due)
    after, clocks = clock.step(after, rows, window.columns["received_us"])
    after, changed = health.step(after, rows, window)
    if window.kind == PROVISIONAL:
        return _forgetting(after, shard), {at: [_alarms(report)] for at, report in found.items()}, changed | due
    after, slowly = epochs.step(after, rows, window, limits)
    after = with_rows(after, rows, window_us=window.start_us)
    told = found, clocks, *slowly
    reports = {at: [r[at] for r in told if at in r] for at in set().union(*told)}
    return replace(after, length_us=window.length_us), reports, changed | due


def _alarms(report: Report) -> Report:
    """What a provisional window may raise. Its warnings wait for the final window: where frames still come into it,
    a crossing may be the first sign instead, and the episode's id must not depend on how long its partition slept.
    """
    alarms = [finding for finding in report.findings if finding.level is Level.ALARM]
    return msgspec.structs.replace(report, until_us=NOTHING, findings=alarms)


def _forgetting(after: Shard, before: Shard) -> Shard:
    """What a provisional window leaves behind: the robot's words, and what was said of it."""
    forgotten = ("phase", "seen", "clock_bad", "absent", "value_us")
    return replace(after, **{name: getattr(before, name) for name in forgotten})


def on_crossing(shard: Shard, crossing: Crossing, records: Records) -> Outcome:
    """One reading that left an alarm limit, or a robot that began to report a fault."""
    row = shard.find(crossing.robot_id)
    if row is not None and crossing.time_us < shard.window_us[row] + shard.length_us:
        return Outcome()
    finding = _finding_of(crossing)
    before = records(crossing.robot_id)
    robot = Robot(crossing.robot_id, crossing.software, crossing.scenario)
    report = Report(rules=(finding.rule,), until_us=NOTHING, findings=[finding])
    record, anomalies = lifecycle.apply(before, robot, [report], crossing.received_us)
    outcome = Outcome(anomalies=anomalies, findings=_counted([report]))
    if anomalies and row is not None:
        time_us = max(crossing.time_us, int(shard.health_us[row]) + 1, record.health_us + 1)
        outcome.healths.append(health.judge(shard, row, record, time_us))
        record = msgspec.structs.replace(record, health_us=time_us)
    if record != before:
        outcome.records[crossing.robot_id] = record
    return outcome


def _finding_of(crossing: Crossing) -> Finding:
    mode = crossing.signal == MODE_SIGNAL
    if mode:
        component = Component.ROBOT.value
    else:
        component = f"joint/{crossing.joint}" if crossing.joint else SIGNAL[crossing.signal].component.value
    return Finding(
        rule=MODE if mode else LIMIT,
        component=component,
        signal=crossing.signal,
        side="" if mode else crossing.side,
        level=Level.ALARM,
        value=None if mode else exact(np.float32(crossing.value)),
        limit=None if mode else exact(np.float32(crossing.limit)),
        first_us=crossing.time_us,
        last_us=crossing.time_us,
        windows=0,
    )


class Sighting(msgspec.Struct):
    """What late marks tell of one robot: event time of its last frame with a good clock, broker time of its last
    frame and of the last one with a clock ahead; NEVER where there was none."""

    time_us: int = NEVER
    received_us: int = NEVER
    clock_us: int = NEVER


def sightings(late: Late) -> dict[int, dict[str, Sighting]]:
    """Late marks by shard and robot."""
    shards: dict[int, dict[str, Sighting]] = {}
    marks = zip(late.robot_id, late.reason, late.time_us, late.received_us, strict=True)
    for code, reason, time_us, received_us in marks:
        sighting = shards.setdefault(shard_of(code), {}).setdefault(code, Sighting())
        sighting.received_us = max(sighting.received_us, received_us)
        if reason == _CLOCK_AHEAD:
            sighting.clock_us = max(sighting.clock_us, received_us)
        else:
            sighting.time_us = max(sighting.time_us, time_us)
    return shards


def on_late(shard: Shard, seen: dict[str, Sighting], silence_us: int, records: Records) -> Outcome:
    """Frames of these robots of one shard were left out of their windows; the robots themselves are alive."""
    codes = sorted(seen)
    robots = np.array([code.encode() for code in codes], f"S{CODE_LENGTH}")
    wide = widened(shard, robots)
    rows = wide.rows(robots)
    time_us, received_us, clock_us = (
        np.array([getattr(seen[code], name) for code in codes], np.int64) for name in Sighting.__struct_fields__
    )
    after, heard = silence.heard(wide, rows, time_us, received_us)
    ahead = clock_us != NEVER
    after, clocks = clock.mark(after, rows[ahead], clock_us[ahead])
    # A sight a moment newer than the last is not worth a write of the state.
    moved = (after.received_us[rows] - wide.received_us[rows]).max() >= silence_us // 10
    if not (heard or clocks or moved or (after.clock_bad != wide.clock_bad).any()):
        return Outcome()
    reports: dict[int, list[Report]] = {int(rows[at]): [report] for at, report in heard.items()}
    for row, report in clocks.items():
        reports.setdefault(row, []).append(report)
    return _told(after, reports, records)


def on_pulse(shard: Shard, now_us: int, silence_us: int, records: Records) -> Outcome:
    """All frames of the partition up to `now_us` (wall clock) have been read."""
    after, found = silence.step(shard, now_us, silence_us)
    return _told(after, {row: [report] for row, report in found.items()}, records, now_us) if found else Outcome()


def _told(shard: Shard, reports: dict[int, list[Report]], records: Records, now_us: int = NEVER) -> Outcome:
    """Reports about the data; the health's time is the robot's last event time plus what has passed since."""
    told = _Telling(shard, records)
    for row in sorted(reports):
        time_us = int(shard.last_time_us[row]) + max(now_us - int(shard.received_us[row]), 0)
        told.tell(row, reports[row], time_us, always=True)
    return told.outcome(shard)


class _Telling:
    """Collects what is to be sent and written for the robots of one shard that there is something to say about."""

    def __init__(self, shard: Shard, records: Records) -> None:
        self._shard = shard
        self._read = records
        self._outcome = Outcome()
        self._health_us: dict[int, int] = {}
        self._wake_us: dict[int, int] = {}

    def tell(self, row: int, reports: list[Report], time_us: int, always: bool) -> None:
        """Apply the reports to one robot's episodes. Its health follows if they changed, or `always`: a report that
        changes nothing is a repeat after a crash, and the time of the health that went out is still to be kept.
        """
        shard, outcome = self._shard, self._outcome
        code = shard.robots[row].decode()
        robot = Robot(code, shard.software[row], shard.scenario[row])
        before = self._read(code)
        record, told = lifecycle.apply(before, robot, reports, int(shard.received_us[row]))
        outcome.anomalies += told
        outcome.findings += _counted(reports)
        if record != before:
            outcome.records[code] = record
        elif not always:
            return
        time_us = max(time_us, int(shard.health_us[row]) + 1, record.health_us + 1)
        outcome.healths.append(health.judge(shard, row, record, time_us))
        self._health_us[row] = time_us
        self._wake_us[row] = timers.wake_us(record)

    def outcome(self, shard: Shard, windows: int = 0) -> Outcome:
        """Everything that was collected, and `shard` with its robots' times."""
        if rows := list(self._health_us):
            times = {"health_us": list(self._health_us.values()), "wake_us": list(self._wake_us.values())}
            shard = with_rows(shard, rows, **times)
        self._outcome.shard = shard
        self._outcome.windows = windows
        return self._outcome


def _counted(reports: Iterable[Report]) -> Counter[tuple[str, Level]]:
    return Counter((finding.rule, finding.level) for report in reports for finding in report.findings)
