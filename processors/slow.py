"""The state of a shard that changes once an epoch: what the slow detectors and the trends remember.

In: the packed bytes of the table, or nothing; then robots and tracks as they appear. Out: the same arrays with room
for them, and packed bytes again. Called by `processors/epochs.py`. It is kept apart from the shard's other state
(`processors/shard.py`), which is written with every window: this is forty times as large.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import lru_cache, reduce
from typing import Any

import msgspec
import numpy as np

from processors.detectors import pattern, trend, watch
from processors.detectors.arrays import Arrays, Bools, Field
from processors.detectors.pattern import Covariance
from processors.detectors.tracks import Track, union_of
from processors.detectors.trend import Courses
from processors.remaining import Lives
from schemas.columns import Codes, Float32, Int64
from schemas.errors import ContractError
from schemas.robot_code import CODE_LENGTH
from schemas.topics import SHARDS_PER_PARTITION

SLOW_VERSION = 1
BUCKETS = 16  # 100 000 robots of 29 joints in 128 shards: 1.4 MB each, before compression

NEVER = -1

# Beside the detectors': the epoch (its number) since which a rule of the machine has flagged a track, and which one
# (`conditions.py`), and since which its sensor has been at fault.
_OF_TRACK: dict[str, Field] = {
    **watch.FIELDS,
    "began": Field("<i4", NEVER),
    "rule": Field("i1", NEVER),
    "faulty_since": Field("<i4", NEVER),
}
_OF_COURSE = {f.name: f for f in fields(Courses)}


@dataclass(frozen=True, slots=True)
class Slow:
    """R robots (sorted codes), K `tracks`, L `worn` tracks. `arrays` by name; `courses` of what wears, and its
    `limits` (R × L), where each ends. `judged_us` a robot: the start of the last epoch that was judged.
    """

    robots: Codes
    tracks: tuple[Track, ...]
    worn: tuple[Track, ...]
    judged_us: Int64
    arrays: Arrays
    courses: Courses
    limits: Float32
    kinds: tuple[tuple[tuple[str, ...], Covariance], ...]

    def rows(self, codes: Codes) -> Int64:
        """The row of each of `codes`, which are all there."""
        return np.searchsorted(self.robots, codes)

    def find(self, code: str) -> int | None:
        """The row of one robot, if it is there."""
        row = int(np.searchsorted(self.robots, np.bytes_(code.encode())))
        return row if row < len(self.robots) and self.robots[row].decode() == code else None

    def lives(self, code: bytes) -> Lives | None:
        """What the trends say of one robot, in row 0."""
        row = self.find(code.decode())
        if row is None:
            return None
        courses = replace(self.courses, **{n: getattr(self.courses, n)[row : row + 1] for n in _OF_COURSE})
        signals, components = _names(self.worn)
        return Lives(signals, components, trend.life(courses), self.limits[row : row + 1])


@lru_cache(maxsize=256)
def _names(worn: tuple[Track, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(track.signal for track in worn), tuple(track.component for track in worn)


def empty_slow() -> Slow:
    """Nothing seen yet."""
    return _filled(np.empty(0, f"S{CODE_LENGTH}"), (), (), ())


def _filled(robots: Codes, tracks: tuple[Track, ...], worn: tuple[Track, ...], kinds: Any) -> Slow:
    shape = len(robots), len(tracks)
    arrays: Arrays = {name: np.full(shape, field.initial, field.kind) for name, field in _OF_TRACK.items()}
    judged_us = np.full(len(robots), NEVER, np.int64)
    limits = np.full((len(robots), len(worn)), np.nan, np.float32)
    return Slow(robots, tracks, worn, judged_us, arrays, trend.empty(len(robots), len(worn)), limits, kinds)


def widened(slow: Slow, robots: Codes, tracks: tuple[Track, ...], worn: tuple[Track, ...]) -> Slow:
    """The state with room for these, which include what it has; the same one where they are what it has."""
    if (slow.tracks, slow.worn) == (tracks, worn) and len(robots) == len(slow.robots):
        return slow
    return _put(slow, _filled(robots, tracks, worn, slow.kinds))


def _put(slow: Slow, new: Slow) -> Slow:
    """What `slow` remembers at its places in `new`, which has room for it."""
    rows = new.rows(slow.robots)
    new.judged_us[rows] = slow.judged_us
    places = np.ix_(rows, np.array([new.tracks.index(track) for track in slow.tracks], np.int64))
    for name, array in slow.arrays.items():
        new.arrays[name][places] = array
    places = np.ix_(rows, np.array([new.worn.index(track) for track in slow.worn], np.int64))
    for name in _OF_COURSE:
        old = getattr(slow.courses, name)
        getattr(new.courses, name)[rows if old.ndim == 1 else places] = old
    new.limits[places] = slow.limits
    return new


def part(slow: Slow, rows: Int64, tracks: tuple[Track, ...]) -> Slow:
    """The state of some robots and of their own `tracks`, and computed as `watch` computes. It may share its arrays
    with the whole: nobody writes into them.
    """
    robots, places = _where(slow, rows, tracks)
    arrays = {n: _single(a[places], _OF_TRACK[n].kind) for n, a in slow.arrays.items()}
    courses = replace(slow.courses, **{n: getattr(slow.courses, n)[robots] for n in _OF_COURSE})
    return replace(
        slow, robots=slow.robots[robots], tracks=tracks, judged_us=slow.judged_us[robots], arrays=arrays,
        courses=courses, limits=slow.limits[robots],
    )  # fmt: skip


def with_part(slow: Slow, rows: Int64, some: Slow) -> Slow:
    """The state with that of some robots put back."""
    robots, places = _where(slow, rows, some.tracks)

    def put(whole: np.ndarray[Any, Any], changed: np.ndarray[Any, Any], at: Any = robots) -> np.ndarray[Any, Any]:
        if isinstance(at, slice):
            return changed.astype(whole.dtype, copy=False)
        after = whole.copy()
        after[at] = changed
        return after

    return replace(
        slow,
        judged_us=put(slow.judged_us, some.judged_us),
        arrays={name: put(array, some.arrays[name], places) for name, array in slow.arrays.items()},
        courses=replace(
            slow.courses, **{n: put(getattr(slow.courses, n), getattr(some.courses, n)) for n in _OF_COURSE}
        ),
        limits=put(slow.limits, some.limits),
        kinds=some.kinds,
    )


def _where(slow: Slow, rows: Int64, tracks: tuple[Track, ...]) -> tuple[Any, Any]:
    """Where these robots, and these tracks of theirs, are in its arrays. As a rule they are all there is, and then
    nothing is picked: copying out and back was a third of an epoch's price.
    """
    robots = slice(None) if np.array_equal(rows, np.arange(len(slow.robots))) else rows
    if tracks == slow.tracks:
        return robots, robots
    chosen = _among(slow.tracks, tracks)
    return robots, (robots, chosen) if isinstance(robots, slice) else np.ix_(rows, chosen)


@lru_cache(maxsize=1024)
def _among(tracks: tuple[Track, ...], chosen: tuple[Track, ...]) -> Int64:
    return np.array([tracks.index(track) for track in chosen], np.int64)


def renewed(slow: Slow, row: int, component: str) -> Slow:
    """The state after a part was replaced: what is known of the tracks of `component` of one robot begins anew."""
    chosen = [place for place, track in enumerate(slow.tracks) if track.component == component]
    worn = np.array([place for place, track in enumerate(slow.worn) if track.component == component], np.int64)
    arrays = {name: array.copy() for name, array in slow.arrays.items()}
    for name, array in arrays.items():
        array[row, chosen] = _OF_TRACK[name].initial
    return replace(slow, arrays=arrays, courses=trend.reset(slow.courses, np.array([row]), worn))


def _single(array: np.ndarray[Any, Any], kind: str) -> np.ndarray[Any, Any]:
    """What is kept in half precision is computed in single."""
    return array.astype(np.float32) if kind == "<f2" else array


class _Kind(msgspec.Struct, array_like=True):
    signals: tuple[str, ...]
    lessons: int
    products: bytes


class _Stored(msgspec.Struct, array_like=True):
    v: int
    robots: bytes
    tracks: tuple[Track, ...]
    worn: tuple[Track, ...]
    judged_us: bytes
    arrays: dict[str, bytes]
    courses: dict[str, bytes]
    limits: bytes
    kinds: list[_Kind]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


def snapshots(slow: Slow, before: Slow | None = None) -> dict[int, bytes]:
    """The packed bytes by bucket: each has the same robots always, and stays below what a record may have. Those
    alone of which a robot has changed since `before`, which was written.
    """
    buckets = np.array([_bucket(code) for code in slow.robots.tolist()], np.int64)
    changed = np.unique(buckets if before is None else buckets[_changed(slow, before)])
    return {int(bucket): _snapshot(slow, np.nonzero(buckets == bucket)[0]) for bucket in changed}


def _changed(slow: Slow, before: Slow) -> Bools:
    """Whose epoch was judged, or part replaced. A robot that is new has nothing to be written until then."""
    if (before.tracks, before.worn) != (slow.tracks, slow.worn):
        return np.ones(len(slow.robots), bool)
    rows = slow.rows(before.robots)
    changed: Bools = slow.judged_us != NEVER
    changed[rows] = (
        (slow.judged_us[rows] != before.judged_us)
        | (slow.arrays["since"][rows] != before.arrays["since"]).any(axis=1)
        | (slow.courses.first[rows] != before.courses.first).any(axis=1)
    )
    return changed


def _bucket(code: bytes) -> int:
    """Robots of one shard share the residue; what is left of the hash spreads them."""
    return zlib.crc32(code) // SHARDS_PER_PARTITION % BUCKETS


def _snapshot(slow: Slow, rows: Int64) -> bytes:
    return _encoder.encode(
        _Stored(
            SLOW_VERSION, slow.robots[rows].tobytes(), slow.tracks, slow.worn, slow.judged_us[rows].tobytes(),
            {name: array[rows].tobytes() for name, array in slow.arrays.items()},
            {name: getattr(slow.courses, name)[rows].tobytes() for name in _OF_COURSE},
            slow.limits[rows].tobytes(),
            [_Kind(signals, kind.lessons, kind.products.tobytes()) for signals, kind in slow.kinds],
        )
    )  # fmt: skip


def restore(packed: Iterable[bytes]) -> Slow | None:
    """The state from the bytes of its buckets, None from none. An array that an older program did not have starts
    at its initial value. Raises ContractError where the bytes are of another version: state is never misread.
    """
    parts = [_restored(bucket) for bucket in packed]
    if not parts:
        return None
    # Buckets are written together, the shard after them; stopped in between, some have had a lesson more.
    latest = max(parts, key=lambda part: sum(kind.lessons for _, kind in part.kinds))
    robots = np.sort(np.concatenate([part.robots for part in parts]))
    tracks = reduce(union_of, (part.tracks for part in parts))
    worn = reduce(union_of, (part.worn for part in parts))
    whole = _filled(robots, tracks, worn, latest.kinds)
    for part in parts:
        _put(part, whole)
    return whole


def _restored(packed: bytes) -> Slow:
    try:
        stored = _decoder.decode(packed)
    except msgspec.DecodeError as error:
        raise ContractError(f"the stored state of slow detectors cannot be read: {error}") from None
    if stored.v != SLOW_VERSION:
        raise ContractError(f"stored slow detectors are version {stored.v}, this program has {SLOW_VERSION}")
    slow = _filled(np.frombuffer(stored.robots, f"S{CODE_LENGTH}"), stored.tracks, stored.worn, _kinds(stored))
    arrays = {name: _unpacked(b, slow.arrays[name]) for name, b in stored.arrays.items() if name in slow.arrays}
    courses = {n: _unpacked(b, getattr(slow.courses, n)) for n, b in stored.courses.items() if n in _OF_COURSE}
    return replace(
        slow,
        judged_us=np.frombuffer(stored.judged_us, np.int64),
        arrays=slow.arrays | arrays,
        courses=replace(slow.courses, **courses),
        limits=_unpacked(stored.limits, slow.limits),
    )


def _unpacked(packed: bytes, like: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.frombuffer(packed, like.dtype).reshape(like.shape)


def _kinds(stored: _Stored) -> tuple[tuple[tuple[str, ...], Covariance], ...]:
    found = []
    for kind in stored.kinds:
        products = np.frombuffer(kind.products, np.float32).reshape(len(kind.signals), len(kind.signals))
        found.append((kind.signals, pattern.covariance(kind.lessons, products)))
    return tuple(found)
