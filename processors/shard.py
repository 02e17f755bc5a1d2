"""The state of one shard: for all its robots side by side, what the detectors remember.

In: the packed bytes of the table, or nothing; then robots, columns and components as they appear. Out: the same
arrays with room for them, and packed bytes again. Called by `processors/assessor.py`; the detectors read and
replace arrays. Robots are sorted, columns and components are named, so robots of different layouts share one
matrix: what a robot does not have stays at its initial value, and a robot that changes its layout keeps the
state of the slots that remain.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from processors.detectors.tracks import Track, component_order, union_of
from processors.slow import Slow
from schemas.columns import Codes, Float32, Int64
from schemas.errors import ContractError
from schemas.robot_code import CODE_LENGTH
from schemas.signals import SIGNAL, SIGNAL_ORDER, Component
from schemas.vitals import MODE_SIGNAL

SHARD_VERSION = 1

NEVER = -1  # no window, frame or message of that kind has been seen
NOT_THERE = -1  # a component that the robot does not have
STEPS = 3  # thresholds of a column: near, warn, alarm
UNSEEN = 64  # the phase of a threshold that has not met a value yet


class Column(NamedTuple):
    """One side of one slot that has limits, or the robot's own word that it is at fault (MODE_SIGNAL)."""

    signal: str
    joint: int
    side: str

    @property
    def component(self) -> str:
        """The component path."""
        if self.joint:
            return f"joint/{self.joint}"
        return SIGNAL[self.signal].component.value if self.signal in SIGNAL else Component.ROBOT.value


MODE_COLUMN = Column(MODE_SIGNAL, 0, "")


@dataclass(frozen=True, slots=True)
class Shard:
    """R robots (sorted S29 codes), K columns, C components, T tracks; arrays have R rows.

    A robot: `window_us` the start of the last assessed window; `last_time_us`, `received_us` event and broker time
    of its last frame; `health_us` the time of its last health message; `clock_us` the broker time of its last
    frame with a clock ahead and `clock_bad` the good windows that are still to come before that is over;
    `silent`; `wake_us` when time changes its episodes (by the broker's clock); `mode`; `software`, `scenario`.
    A column: `phase` (see `detectors/limit.py`) of each threshold and `seen`, the windows that showed it. A
    component: `absent`, windows since it last had a value, `value_us` when that was (event time), `shown`, what its
    last health message said, and `renewed_us`, when somebody said that it is another part since. `length_us` is
    that of the last window.

    `epoch_us`: the start of the epoch that is being gathered, a track's `sums` and `counts` of its windows, the
    frames that `arrived` and were `missed` in them, and the `boots`; `boot_id` is the last; since `lossy_us`
    and `restarting_us` too many frames were missed, or boots made (`detectors/link.py`). `slow` is what detectors
    remember from epoch to epoch; it is kept apart (`processors/slow.py`), None before the first one.
    """

    length_us: int
    robots: Codes
    columns: tuple[Column, ...]
    components: tuple[str, ...]
    tracks: tuple[Track, ...]
    window_us: Int64
    last_time_us: Int64
    received_us: Int64
    health_us: Int64
    clock_us: Int64
    clock_bad: NDArray[np.int8]
    silent: NDArray[np.bool_]
    wake_us: Int64
    mode: NDArray[np.int16]
    software: NDArray[np.object_]
    scenario: NDArray[np.object_]
    phase: NDArray[np.int8]
    seen: NDArray[np.int32]
    absent: NDArray[np.int8]
    value_us: Int64
    shown: NDArray[np.int8]
    renewed_us: Int64
    epoch_us: Int64
    arrived: NDArray[np.int32]
    missed: NDArray[np.int32]
    boots: NDArray[np.int16]
    boot_id: Int64
    lossy_us: Int64
    restarting_us: Int64
    sums: Float32
    counts: NDArray[np.int16]
    slow: Slow | None = None

    def rows(self, codes: Codes) -> Int64:
        """The row of each of `codes`, which are all there."""
        return np.searchsorted(self.robots, codes)

    def find(self, code: str) -> int | None:
        """The row of one robot, if it is there."""
        row = int(np.searchsorted(self.robots, np.bytes_(code.encode())))
        return row if row < len(self.robots) and self.robots[row].decode() == code else None


class _Field(NamedTuple):
    """An array of the state: its type, what follows its robots axis, and what a newcomer has."""

    kind: str
    axes: tuple[str, ...]
    initial: Any


_FIELDS: dict[str, _Field] = {
    "window_us": _Field("<i8", (), NEVER),
    "last_time_us": _Field("<i8", (), NEVER),
    "received_us": _Field("<i8", (), NEVER),
    "health_us": _Field("<i8", (), NEVER),
    "clock_us": _Field("<i8", (), NEVER),
    "clock_bad": _Field("i1", (), 0),
    "silent": _Field("?", (), False),
    "wake_us": _Field("<i8", (), NEVER),
    "mode": _Field("<i2", (), NEVER),
    "software": _Field("O", (), ""),
    "scenario": _Field("O", (), ""),
    "phase": _Field("i1", ("steps", "columns"), UNSEEN),
    "seen": _Field("<i4", ("columns",), 0),
    "absent": _Field("i1", ("components",), NOT_THERE),
    "value_us": _Field("<i8", ("components",), NEVER),
    "shown": _Field("i1", ("components",), 0),
    "renewed_us": _Field("<i8", ("components",), NEVER),
    "epoch_us": _Field("<i8", (), NEVER),
    "arrived": _Field("<i4", (), 0),
    "missed": _Field("<i4", (), 0),
    "boots": _Field("<i2", (), 0),
    "boot_id": _Field("<i8", (), NEVER),
    "lossy_us": _Field("<i8", (), NEVER),
    "restarting_us": _Field("<i8", (), NEVER),
    "sums": _Field("<f4", ("tracks",), 0),
    "counts": _Field("<i2", ("tracks",), 0),
}


def empty_shard() -> Shard:
    """A shard that has not seen a robot."""
    return _filled(0, np.empty(0, f"S{CODE_LENGTH}"), (), (), ())


def widened(
    shard: Shard,
    robots: Codes,
    columns: tuple[Column, ...] = (),
    components: tuple[str, ...] = (),
    tracks: tuple[Track, ...] = (),
) -> Shard:
    """The shard with room for these; the same one where it has them all."""
    known = np.searchsorted(shard.robots, robots)
    known[known == len(shard.robots)] = 0
    all_known = len(robots) == 0 or (len(shard.robots) > 0 and bool((shard.robots[known] == robots).all()))
    codes = shard.robots if all_known else np.union1d(shard.robots, robots)
    wider_columns = _union_of_columns(shard.columns, columns)
    wider_components = _union_of_components(shard.components, components)
    wider_tracks = union_of(shard.tracks, tracks)
    wider = wider_columns, wider_components, wider_tracks
    if all_known and wider == (shard.columns, shard.components, shard.tracks):
        return shard
    return replace(_moved(shard, _filled(shard.length_us, codes, *wider)), slow=shard.slow)


def with_rows(shard: Shard, rows: Int64 | list[int], **arrays: Any) -> Shard:
    """The shard with new values in `rows` of the named arrays."""
    changed: dict[str, Any] = {}
    for name, new in arrays.items():
        changed[name] = getattr(shard, name).copy()
        changed[name][rows] = new
    return replace(shard, **changed)


@lru_cache(maxsize=1024)
def _union_of_columns(have: tuple[Column, ...], want: tuple[Column, ...]) -> tuple[Column, ...]:
    """Sorted by component, so that what belongs to one component lies side by side."""
    if set(want) <= set(have):
        return have
    return tuple(sorted(set(have) | set(want), key=_column_order))


def _column_order(column: Column) -> tuple[tuple[int, int], int, str]:
    return component_order(column.component), SIGNAL_ORDER.get(column.signal, len(SIGNAL_ORDER)), column.side


@lru_cache(maxsize=1024)
def _union_of_components(have: tuple[str, ...], want: tuple[str, ...]) -> tuple[str, ...]:
    return have if set(want) <= set(have) else tuple(sorted(set(have) | set(want), key=component_order))


def _filled(
    length_us: int,
    robots: Codes,
    columns: tuple[Column, ...],
    components: tuple[str, ...],
    tracks: tuple[Track, ...],
) -> Shard:
    sizes = {"columns": len(columns), "components": len(components), "steps": STEPS, "tracks": len(tracks)}
    arrays: dict[str, Any] = {
        name: np.full((len(robots), *(sizes[axis] for axis in field.axes)), field.initial, field.kind)
        for name, field in _FIELDS.items()
    }
    return Shard(length_us, robots, columns, components, tracks, **arrays)


def _moved(old: Shard, new: Shard) -> Shard:
    """What `old` remembers at its places in `new`, which has at least the robots, columns and components."""
    places = {
        "columns": _places(old.columns, new.columns),
        "components": _places(old.components, new.components),
        "tracks": _places(old.tracks, new.tracks),
        "steps": np.arange(STEPS),
    }
    rows = new.rows(old.robots)
    for name, field in _FIELDS.items():
        getattr(new, name)[np.ix_(rows, *(places[axis] for axis in field.axes))] = getattr(old, name)
    return new


def _places(old: Iterable[Any], new: tuple[Any, ...]) -> Int64:
    at = {name: place for place, name in enumerate(new)}
    return np.array([at[name] for name in old], np.int64)


class _Stored(msgspec.Struct, array_like=True):
    v: int
    length_us: int
    robots: bytes
    columns: tuple[Column, ...]
    components: tuple[str, ...]
    texts: dict[str, list[str]]
    arrays: dict[str, bytes]
    tracks: tuple[Track, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


def snapshot(shard: Shard) -> bytes:
    """The packed bytes of the state, without `slow`."""
    arrays = {n: getattr(shard, n).tobytes() for n, field in _FIELDS.items() if field.kind != "O"}
    texts = {n: getattr(shard, n).tolist() for n, field in _FIELDS.items() if field.kind == "O"}
    head = (SHARD_VERSION, shard.length_us, shard.robots.tobytes(), shard.columns, shard.components)
    return _encoder.encode(_Stored(*head, texts, arrays, shard.tracks))


def restore(packed: bytes, slow: Slow | None = None) -> Shard:
    """The state from its bytes. An array that an older program did not have starts at its initial value.

    Raises ContractError where the bytes are of another version: state is never misread.
    """
    try:
        stored = _decoder.decode(packed)
    except msgspec.DecodeError as error:
        raise ContractError(f"the stored state of a shard cannot be read: {error}") from None
    if stored.v != SHARD_VERSION:
        raise ContractError(f"the stored state of a shard is version {stored.v}, this program has {SHARD_VERSION}")
    robots = np.frombuffer(stored.robots, f"S{CODE_LENGTH}")
    shard = _filled(stored.length_us, robots, stored.columns, stored.components, stored.tracks)
    arrays: dict[str, Any] = {
        name: np.frombuffer(packed, _FIELDS[name].kind).reshape(getattr(shard, name).shape)
        for name, packed in stored.arrays.items()
        if name in _FIELDS
    }
    for name, texts in stored.texts.items():
        arrays[name] = np.array(texts, object)
    shard = replace(shard, **arrays, slow=slow)
    # `slow` is written first: stopped in between, it has robots and tracks that the shard is yet to see again.
    return shard if slow is None else widened(shard, slow.robots, tracks=(*slow.tracks, *slow.worn))
