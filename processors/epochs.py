"""Epochs: windows of a shard gathered to means over ten minutes, which the slow detectors and the trends judge.

In: the shard's state, a final window, the limits. Out: the state, and a report for each robot of which they have
something to say. Called by `processors/assessor.py`.

An epoch of a robot is over when a window of a later one comes, so nothing is judged that could still change, and a
robot that was away has no epochs meanwhile. Shards begin their epochs at different moments, or all would be judged
at once. A signal's mean counts where a quarter of the epoch's windows had it; of what wears any value counts, since
accuracy is measured now and then.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from processors import conditions, slow
from processors.detectors import ends, link, pattern, trend
from processors.detectors.arrays import Bools
from processors.detectors.ends import WEARING
from processors.detectors.tracks import TRACKED, Track
from processors.detectors.trend import Wearing
from processors.detectors.tuning import Tuning, tuning_of
from processors.detectors.watch import Marks, Seen, Watch, WatchState
from processors.findings import Report
from processors.shard import NEVER, Shard, with_rows
from processors.shard_window import ShardWindow
from processors.slow import Slow
from schemas.columns import Codes, Float32, Int64
from schemas.layout import Layout
from schemas.limits import MODEL_LENGTH, Limits
from schemas.signals import SIGNAL, Statistic
from schemas.topics import SHARDS_PER_PARTITION

EPOCH_US = 600_000_000  # ours: short beside what wears, long beside a movement
_PART = 4  # an epoch's mean is one if this part of its windows had the signal

_WEARING = Wearing()


@lru_cache(maxsize=1024)
def tracks_of(layout: Layout) -> tuple[Track, ...]:
    """The tracks of a layout: of every signal that is watched or wears."""
    return tuple(
        Track(slot.signal.name, slot.joint)
        for slot in layout.slots
        if slot.signal.name in TRACKED or slot.signal.name in WEARING
    )


def step(shard: Shard, rows: Int64, window: ShardWindow, limits: Limits) -> tuple[Shard, list[dict[int, Report]]]:
    """Take in a final window whose robots are at `rows` of the shard, which has room. Some reports by position."""
    start_us = _start_us(window)
    before_us = shard.epoch_us[rows]
    reports: list[dict[int, Report]] = []
    for over_us in np.unique(before_us[(before_us != NEVER) & (before_us < start_us)]).tolist():
        at = np.nonzero(before_us == over_us)[0]
        shard, found = _judged(shard, rows[at], over_us, window, limits)
        shard, linked = link.judge(shard, rows[at], over_us, over_us + EPOCH_US)
        reports += [{int(at[position]): told for position, told in part.items()} for part in (found, linked)]
    values = _values(window, shard.tracks)
    there = ~np.isnan(values)
    begins = before_us < start_us
    shard = link.step(shard, rows, window, begins)
    begins = begins[:, None]
    sums = np.where(begins, np.float32(0), shard.sums[rows]) + np.where(there, values, np.float32(0))
    counts = np.where(begins, np.int16(0), shard.counts[rows]) + there
    return with_rows(shard, rows, sums=sums, counts=counts, epoch_us=np.maximum(before_us, start_us)), reports


def _start_us(window: ShardWindow) -> int:
    shift = EPOCH_US * (window.shard % SHARDS_PER_PARTITION) // SHARDS_PER_PARTITION
    return (window.start_us - shift) // EPOCH_US * EPOCH_US + shift


def _judged(
    shard: Shard, rows: Int64, start_us: int, window: ShardWindow, limits: Limits
) -> tuple[Shard, dict[int, Report]]:
    """The epoch that began at `start_us`, which is over for the robots at `rows`. Reports by position in `rows`."""
    state = slow.widened(shard.slow or slow.empty_slow(), shard.robots, *_split(shard.tracks))
    # After a restart some may have been judged already: the shard is written after their state.
    left = np.nonzero(state.judged_us[rows] < start_us)[0]
    models = shard.robots[rows[left]].astype(f"S{MODEL_LENGTH}")
    own = _own(state.tracks, window.layout)
    reports: dict[int, Report] = {}
    for tuning, alike in _by_tuning(models, limits):
        at = left[alike]
        before, means = slow.part(state, rows[at], own), _means(shard, rows[at], window.length_us)
        some, marks, value = _watched(before, shard, means, start_us, models[alike], tuning)
        some = _trended(some, shard, means, start_us, models[alike], limits)
        some, found = conditions.step(before, some, marks, value, start_us, EPOCH_US)
        some = replace(some, judged_us=np.full(len(at), start_us, np.int64))
        state = slow.with_part(state, rows[at], some)
        reports |= {int(at[position]): report for position, report in found.items()}
    return replace(shard, slow=state), reports


def _by_tuning(models: Codes, limits: Limits) -> list[tuple[Tuning, Int64]]:
    """The robots (positions) whose models have the same parameters; nearly always all of them."""
    distinct, which = np.unique(models, return_inverse=True)
    tunings = [tuning_of(limits, model.decode()) for model in distinct.tolist()]
    found = []
    for tuning in dict.fromkeys(tunings):
        having = np.array([own == tuning for own in tunings], bool)
        found.append((tuning, np.nonzero(having[which])[0]))
    return found


def _means(shard: Shard, rows: Int64, length_us: int) -> Float32:
    """Robots × tracks, NaN where too few windows had the signal."""
    counts = shard.counts[rows]
    part = max(EPOCH_US // length_us // _PART, 1)
    enough = counts >= np.where(_wearing(shard.tracks), 1, part)
    means: Float32 = np.where(
        enough, shard.sums[rows] / np.maximum(counts, 1).astype(np.float32), np.float32(np.nan)
    )
    return means


def _watched(
    some: Slow, shard: Shard, means: Float32, start_us: int, models: Codes, tuning: Tuning
) -> tuple[Slow, Marks, Float32]:
    """The state, what the rules say, and the values that they judged."""
    value = means[:, _places(shard.tracks, some.tracks)]
    watch = Watch(some.tracks, tuning)
    known = dict(some.kinds)
    kinds = tuple(known.get(kind) or pattern.nothing(len(kind)) for kind in watch.wiring.kinds)
    seen = Seen(start_us, value, np.unique(models, return_inverse=True)[1])
    after, marks = watch.step(WatchState(some.arrays, kinds), seen)
    known |= dict(zip(watch.wiring.kinds, after.kinds, strict=True))
    return replace(some, arrays=after.arrays, kinds=tuple(known.items())), marks, value


def _trended(some: Slow, shard: Shard, means: Float32, start_us: int, models: Codes, limits: Limits) -> Slow:
    if not some.worn:
        return some
    value = means[:, _places(shard.tracks, some.worn)]
    names = tuple(model.decode() for model in models.tolist())
    where = ends.ends(tuple(track.signal for track in some.worn), names, limits)
    courses, _ = trend.step(some.courses, start_us, value, where, _WEARING)
    return replace(some, courses=courses, limits=np.broadcast_to(trend.limits_of(courses, where), value.shape))


@lru_cache(maxsize=1024)
def _own(tracks: tuple[Track, ...], layout: Layout) -> tuple[Track, ...]:
    """Those of a layout: what its robots cannot have explains nothing of them."""
    own = set(tracks_of(layout))
    return tuple(track for track in tracks if track in own)


@lru_cache(maxsize=256)
def _split(tracks: tuple[Track, ...]) -> tuple[tuple[Track, ...], tuple[Track, ...]]:
    """Those that are watched, and those that wear."""
    return tuple(t for t in tracks if t.signal in TRACKED), tuple(t for t in tracks if t.signal in WEARING)


@lru_cache(maxsize=256)
def _wearing(tracks: tuple[Track, ...]) -> Bools:
    return np.array([t.signal in WEARING and t.signal not in TRACKED for t in tracks], bool)


@lru_cache(maxsize=256)
def _places(tracks: tuple[Track, ...], chosen: tuple[Track, ...]) -> Int64:
    return np.array([tracks.index(track) for track in chosen], np.int64)


def _values(window: ShardWindow, tracks: tuple[Track, ...]) -> Float32:
    """Robots × tracks, NaN where the layout lacks the slot or no frame had the value."""
    values = np.full((len(window.robots), len(tracks)), np.nan, np.float32)
    for statistic, to, taken in _sources(window.layout, tracks):
        values[:, to] = window.statistics[statistic][:, taken]
    return values


@lru_cache(maxsize=1024)
def _sources(layout: Layout, tracks: tuple[Track, ...]) -> list[tuple[Statistic, Int64, Int64]]:
    """For each statistic the tracks that it fills, and from which of its own columns."""
    slots = {(slot.signal.name, slot.joint): at for at, slot in enumerate(layout.slots)}
    sources: dict[Statistic, list[tuple[int, int]]] = {}
    for to, track in enumerate(tracks):
        if (slot := slots.get((track.signal, track.joint))) is not None:
            statistic = _statistic(track.signal)
            sources.setdefault(statistic, []).append((to, layout.keeping(statistic).index(slot)))
    return [(statistic, *np.array(pairs, np.int64).T) for statistic, pairs in sources.items()]


def _statistic(signal: str) -> Statistic:
    """What is wearing is taken as its window left it."""
    if signal in TRACKED:
        return TRACKED[signal].statistic
    kept = SIGNAL[signal].statistics
    return Statistic.MEAN if Statistic.MEAN in kept else Statistic.LAST
