"""Event-time windows of one Kafka partition: frames in, final windows and late marks out.

In: the state, and the screened columns of a batch in the order of the partition. Out: `Step`; no clock. Called by
`processors/partition.py` with what is live, and by `processors/rows.py` with rows of the database. Pure.

- A window closes when its end plus grace is not after the watermark, and is emitted once, final. How records fell
  into batches changes nothing: each frame is judged by the watermark before it.
- The shards of a partition close one after the other, over `spread_us` of event time: a large fleet's windows would
  else all be sent in one moment, and a crossing would wait behind them, here and in the assessor.
- A frame is left out, and marked late, when its clock is ahead of the broker's by more than the tolerance, when
  its window is closed, or when its sequence number is not above all that its boot has had counted (a resend, or
  out of order). Every other frame is counted in its window.
- After a restart the records from the committed offset on are read again from the watermark of that place, so that
  each is judged as it was. Those of windows emitted by then are passed over; nothing is marked or emitted twice.
- After a restart with another rule they are judged anew. What was emitted by the old rule counts as emitted, and so
  does a window of the new length that began before its end: whatever is read for such windows is marked late.
- Within a boot the last frame is the one with the highest number: a clock may step back, a sequence does not.
"""

from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from processors.cells import HEAD, TAIL
from processors.closing import messages
from processors.mixed import Sorted, settle
from processors.pools import SOURCE_BITS, Pools, key_of, source_of, window_of
from processors.runs import Runs
from processors.sources import Sources
from schemas.columns import FrameColumns, Int64
from schemas.errors import SettingError
from schemas.signals import COUNTERS, MODE_FAULT
from schemas.topics import DEFAULT_PARTITIONS, SHARDS_PER_PARTITION
from schemas.vitals import FINAL, LATE_REASONS, PROVISIONAL, REPAIRED, VITALS_VERSION, Late, Vitals
from schemas.watermark import NO_WATERMARK, Resume, ahead_of_broker, running_watermark

WINDOW_CLOSED, SEQUENCE_SEEN, CLOCK_AHEAD = range(len(LATE_REASONS))
MARKS_A_MESSAGE = 5000
MIN_WINDOW_US = 1_000_000

Flags = NDArray[np.bool_]


class Rule(msgspec.Struct, frozen=True):
    """`window_us`: length; `grace_us`: how long after its end a window stays open; `tolerance_us`: how far a clock
    may be ahead of the broker's and still be believed; `spread_us`: the grace of the last shard is so much longer.
    """

    window_us: int
    grace_us: int
    tolerance_us: int
    spread_us: int = 0

    def __post_init__(self) -> None:
        """Raises SettingError."""
        if self.window_us < MIN_WINDOW_US:
            raise SettingError(f"a window of {self.window_us / 1e6:g} s is too short: at least 1 s")
        if self.tolerance_us > self.grace_us:
            raise SettingError(
                f"a clock tolerance of {self.tolerance_us / 1e6:g} s is more than the grace of "
                f"{self.grace_us / 1e6:g} s: one fast clock would make all others of its partition late"
            )
        if not 0 <= self.spread_us < self.window_us:
            raise SettingError(f"a spread of {self.spread_us / 1e6:g} s is not within the window")

    def graces_us(self, partition: int) -> Int64:
        """For each shard of a partition how long after its end a window stays open. Partitions take turns too."""
        turn = np.arange(SHARDS_PER_PARTITION) * DEFAULT_PARTITIONS + partition % DEFAULT_PARTITIONS
        return self.grace_us + self.spread_us * turn // (SHARDS_PER_PARTITION * DEFAULT_PARTITIONS)


@dataclass(slots=True)
class Windows:
    """The state of one partition. `offset` is the next to be read, which the caller moves on. What lies below
    `fresh_from` was read before a restart, and windows that had closed by `emitted_us` were emitted then.
    `changed`: the commit that was taken up, where another rule was in force then.
    """

    rule: Rule
    partition: int
    offset: int
    watermark_us: int = NO_WATERMARK
    emitted_us: int = NO_WATERMARK
    fresh_from: int = 0
    changed: tuple[int, Resume] | None = None
    sources: Sources = field(default_factory=Sources)
    pools: Pools = field(default_factory=Pools)
    graces_us: Int64 = field(init=False)

    def __post_init__(self) -> None:
        self.graces_us = self.rule.graces_us(self.partition)

    @classmethod
    def resumed(cls, rule: Rule, partition: int, offset: int, resume: Resume | None) -> "Windows":
        """The state in which a committed offset is taken up."""
        if resume is None:
            return cls(rule, partition, offset)
        if (resume.window_us, resume.grace_us, resume.tolerance_us, resume.spread_us) == msgspec.structs.astuple(
            rule
        ):
            return cls(rule, partition, offset, resume.before_us, resume.closed_us, resume.read_to)
        ended_us = (resume.closed_us - resume.grace_us) // resume.window_us * resume.window_us
        emitted_us = -(-ended_us // rule.window_us) * rule.window_us + rule.grace_us + rule.spread_us
        return cls(rule, partition, offset, resume.before_us, emitted_us, resume.read_to, (offset, resume))

    def checkpoint(self) -> tuple[int, Resume]:
        """The offset to commit (the first of the open windows), and what must ride with it."""
        if self.changed and self.offset < self.fresh_from:
            return self.changed  # what is read again has not all been judged anew
        watermark_us = max(self.watermark_us, self.emitted_us)
        read_to, rule = max(self.offset, self.fresh_from), msgspec.structs.astuple(self.rule)
        if not len(self.pools.keys):
            return self.offset, Resume(self.watermark_us, watermark_us, read_to, *rule)
        offsets = self.pools.column("head", "offset")
        first = int(offsets.argmin())
        before_us = int(self.pools.column("head", "watermark_us")[first])
        return int(offsets[first]), Resume(before_us, watermark_us, read_to, *rule)

    def grace_us(self, source: Int64) -> Int64:
        """How long after its end a window of each source stays open."""
        return self.graces_us[self.sources.shards(self.sources.robot(source))]

    @property
    def open_windows(self) -> int:
        """How many windows are open."""
        return Runs.count(window_of(self.pools.keys))


@dataclass(frozen=True, slots=True)
class Step:
    """`live`: frames that are not late; `fresh`: frames not read before a restart. One entry a frame, as is
    `reason`, an index into LATE_REASONS that holds where a frame is not live. `closing` has for each of `vitals`
    the row of the frame that closed it.
    """

    vitals: list[Vitals]
    closing: list[int]
    lates: list[Late]
    live: Flags
    fresh: Flags
    reason: NDArray[np.int8]


def step(state: Windows, columns: FrameColumns) -> Step:
    """Take a batch up; the state changes in place."""
    rule = state.rule
    source = state.sources.number(columns.robot_id, columns.boot_id)
    window = columns.time_us // rule.window_us
    closes_us = (window + 1) * rule.window_us + state.grace_us(source)
    trusted = ~ahead_of_broker(columns.time_us, columns.received_us, rule.tolerance_us)
    after = running_watermark(state.watermark_us, columns.time_us, trusted)
    before = np.concatenate([[state.watermark_us], after[:-1]])[: len(columns)]
    fresh = columns.offset >= state.fresh_from
    judged = fresh | (state.changed is not None)
    emitted = closes_us <= state.emitted_us
    closed = (closes_us <= before) | (emitted & judged)
    live = trusted & ~closed
    rows = np.nonzero(live)[0]
    watermark_us = int(after[-1]) if len(after) else state.watermark_us
    live[rows] = ~state.sources.resent(source[rows], columns.seq[rows], watermark_us)
    reason = np.select([~trusted, closed], [CLOCK_AHEAD, WINDOW_CLOSED], SEQUENCE_SEEN).astype(np.int8)
    count(state, columns, live & ~emitted, window, source, before)
    vitals = _close(state, watermark_us)
    _forget(state)
    closing = np.searchsorted(
        after, [v.start_us + rule.window_us + state.graces_us[v.shard] for v in vitals]
    ).tolist()
    return Step(vitals, closing, _marks(state, columns, window, reason, ~live & judged), live, fresh, reason)


def count(
    state: Windows, columns: FrameColumns, counted: Flags, window: Int64, source: Int64, before: Int64
) -> None:
    """Add frames to their cells. `window`, `source` and the watermark `before` have one entry a frame."""
    key = key_of(window, source)
    groups = []
    for group in columns.groups:
        places = np.nonzero(counted[group.rows])[0]
        if len(places):
            groups.append(Sorted.of(group, key[group.rows[places]], places))
    for ready in settle(groups, state.pools) if groups else ():
        heads = ready.rows[ready.runs.starts]
        head = np.empty(len(heads), HEAD)
        head["first_seq"], head["offset"] = columns.seq[heads], columns.offset[heads]
        head["watermark_us"] = before[heads]
        cells, rows = state.pools.cells(ready.keys, ready.layout, head)
        for block, runs, values, extremes in ready.blocks():
            cells.gather(rows[block], runs, values, extremes)
        lasts = ready.rows[ready.runs.lasts]
        cells.tail[rows], cells.texts[rows] = _tails(columns, lasts), _texts(columns, lasts)
        cells.counts["frames"][rows] += ready.runs.lengths
        for name, flags in (("fault_frames", columns.mode == MODE_FAULT), ("backfill_frames", columns.backfill)):
            if flags.any():
                cells.counts[name][rows] += np.add.reduceat(flags[ready.rows], ready.runs.starts, dtype=np.int64)


def recount(state: Windows, columns: FrameColumns) -> None:
    """Count every frame, whatever its time: rows of the database, sorted by robot, boot and sequence number."""
    source = state.sources.number(columns.robot_id, columns.boot_id)
    everything, nothing = np.ones(len(columns), np.bool_), np.full(len(columns), NO_WATERMARK)
    count(state, columns, everything, columns.time_us // state.rule.window_us, source, nothing)


def repaired(state: Windows) -> list[Vitals]:
    """All windows of what was recounted."""
    at = np.arange(len(state.pools.keys))
    return messages(state.pools.places(at), state.sources, REPAIRED, state.rule.window_us) if len(at) else []


def provisional(state: Windows) -> list[Vitals]:
    """The open windows of a partition that has gone quiet, but for robots whose window has not grown since."""
    pools = state.pools
    grown = pools.column("counts", "frames") > pools.column("counts", "told")
    if not grown.any():
        return []
    # A robot's boots are told together, or its window would lose the frames of the other boot.
    robots = key_of(window_of(pools.keys), state.sources.robot(source_of(pools.keys)))
    at = np.nonzero(np.isin(robots, robots[grown]))[0]
    vitals = messages(pools.places(at), state.sources, PROVISIONAL, state.rule.window_us)
    pools.mark_told(at)
    return vitals


def _close(state: Windows, watermark_us: int) -> list[Vitals]:
    """Move the watermark, and emit what it closes."""
    before, after = (
        (at_us - state.graces_us) // state.rule.window_us for at_us in (state.watermark_us, watermark_us)
    )
    state.watermark_us = watermark_us
    if (before == after).all():
        return []  # what the batch opened is open
    keys = state.pools.keys[: np.searchsorted(state.pools.keys, max(0, int(after.max())) << SOURCE_BITS)]
    shards = state.sources.shards(state.sources.robot(source_of(keys)))
    closed = np.nonzero(window_of(keys) < after[shards])[0]
    if not len(closed):
        return []
    vitals = messages(state.pools.places(closed), state.sources, FINAL, state.rule.window_us)
    state.pools.drop(closed)
    return vitals


def _forget(state: Windows) -> None:
    """Forget sources where that is due."""
    moved = state.sources.sweep(source_of(state.pools.keys), state.watermark_us)
    if moved is not None:
        state.pools.renumber(moved)


def _tails(columns: FrameColumns, rows: Int64) -> NDArray[np.void]:
    """What a window tells of these frames, the last ones of their cells."""
    tail = np.empty(len(rows), TAIL)
    tail["boot_id"], tail["last_seq"] = columns.boot_id[rows], columns.seq[rows]
    tail["last_time_us"], tail["received_us"] = columns.time_us[rows], columns.received_us[rows]
    tail["mode"] = columns.mode[rows]
    for name in COUNTERS:
        tail[name] = columns.counters[name][rows]
    return tail


def _texts(columns: FrameColumns, rows: Int64) -> NDArray[np.object_]:
    """Their software and scenario."""
    both = (columns.software, columns.scenario)
    return np.stack([np.array(texts.values, object)[texts.codes[rows]] for texts in both], axis=1)


def _marks(
    state: Windows, columns: FrameColumns, window: Int64, reason: NDArray[np.int8], marked: Flags
) -> list[Late]:
    """One entry for each robot and window that misses frames, of the last such frame."""
    rows = np.nonzero(marked)[0]
    names = zip(columns.robot_id[rows].tolist(), window[rows].tolist(), strict=True)
    latest = np.array(list(dict(zip(names, rows.tolist(), strict=True)).values()), np.int64)
    return [
        Late(
            v=VITALS_VERSION,
            partition=state.partition,
            length_us=state.rule.window_us,
            robot_id=columns.robot_id[part].astype(str).tolist(),
            start_us=(window[part] * state.rule.window_us).tolist(),
            offset=columns.offset[part].tolist(),
            reason=reason[part].tolist(),
            time_us=columns.time_us[part].tolist(),
            received_us=columns.received_us[part].tolist(),
        )
        for part in np.split(latest, range(MARKS_A_MESSAGE, len(latest), MARKS_A_MESSAGE))
        if len(part)
    ]
