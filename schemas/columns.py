"""Records of `telemetry.frames` to columns: the one decoder, used by the lander and the summariser.

In: a micro-batch of Kafka records. Out: `FrameColumns` (numpy, in record order) and what had to be rejected.
A record at a time there is only the MessagePack decode; everything else is done once a batch, and the values of
all frames of one layout become one robots × slots matrix by a single `np.frombuffer`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.errors import RejectError
from schemas.frame import FLAG_BACKFILL, Frame, decode_frame
from schemas.layout import Layout, parse_layout
from schemas.parts import Parts
from schemas.robot_code import CODE_LENGTH
from schemas.signals import FRAME_COUNTERS

Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Codes = NDArray[np.bytes_]

ABSENT = -1  # a counter that the robot does not have

_NOTHING: Mapping[int, RejectError] = MappingProxyType({})

_DIGIT_OR_CAPITAL = np.zeros(256, bool)
_DIGIT_OR_CAPITAL[[*b"0123456789", *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]] = True


class Record(Protocol):
    """What is needed of a Kafka record (aiokafka's ConsumerRecord has it). `timestamp` is in ms."""

    key: bytes | None
    value: bytes | None
    offset: int
    timestamp: int
    headers: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that cannot be used: its position in the batch, the reason's word and the details."""

    position: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of texts with few distinct values: `values[codes[i]]` is the text of row i."""

    codes: NDArray[np.int32]
    values: list[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Texts":
        """Code each distinct text by the order of its first appearance."""
        code = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        if len(code) == 1:
            return cls(np.zeros(len(texts), np.int32), list(code))
        return cls(np.fromiter(map(code.__getitem__, texts), np.int32, len(texts)), list(code))

    def at(self, rows: Int64 | slice) -> "Texts":
        """The same column for some of its rows."""
        return Texts(self.codes[rows], self.values)


@dataclass(frozen=True, slots=True)
class Extremes:
    """What frames of means keep beside them: the lowest and the highest reading of each, rows × slots."""

    lowest: Float32
    highest: Float32

    def at(self, rows: NDArray[Any]) -> "Extremes":
        """Some of the rows, by number or by mask."""
        return Extremes(self.lowest[rows], self.highest[rows])


@dataclass(frozen=True, slots=True)
class LayoutGroup:
    """The frames of one canonical layout: `rows` index the batch, `values` is rows × slots, NaN = absent.

    `extremes` is None where no frame has any; a frame without, among others with, has its values there.
    """

    layout: Layout
    rows: Int64
    values: Float32
    extremes: Extremes | None = None

    def at(self, rows: NDArray[Any]) -> "LayoutGroup":
        """Some of its frames, by place or by mask."""
        return LayoutGroup(
            self.layout, self.rows[rows], self.values[rows], self.extremes and self.extremes.at(rows)
        )


@dataclass(frozen=True, slots=True)
class FrameColumns:
    """n frames by columns, in record order.

    `robot_id` is S29; `received_us` the broker's time stamp; counters are ABSENT (-1) where a robot has none.
    `parts`: what the few frames tell that tell of parts, by row.
    """

    offset: Int64
    received_us: Int64
    robot_id: Codes
    boot_id: Int64
    seq: Int64
    time_us: Int64
    mono_us: Int64
    counters: dict[str, Int64]
    mode: NDArray[np.int16]
    backfill: NDArray[np.bool_]
    scenario: Texts
    software: Texts
    groups: list[LayoutGroup]
    parts: dict[int, Parts] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.offset)


def decode_records(
    records: Sequence[Record], refused: Mapping[int, RejectError] = _NOTHING
) -> tuple[FrameColumns, list[Rejected]]:
    """Decode a micro-batch. A record that cannot be used costs nothing but itself.

    `refused`: by position what is not even to be decoded, and why (`schemas/keyring.py`).
    """
    frames: list[Frame] = []
    positions: list[int] = []
    rejected = [Rejected(position, e.reason, e.detail) for position, e in refused.items()]
    for position, record in enumerate(records):
        if position in refused:
            continue
        try:
            frames.append(decode_frame(record.value or b""))
            positions.append(position)
        except RejectError as error:
            rejected.append(Rejected(position, error.reason, error.detail))
    faults = _faults(frames, [records[p].key for p in positions])
    if faults:
        rejected += [Rejected(positions[i], e.reason, e.detail) for i, e in faults.items()]
        frames = [f for i, f in enumerate(frames) if i not in faults]
        positions = [p for i, p in enumerate(positions) if i not in faults]
    rejected.sort(key=lambda r: r.position)
    return _columns(frames, [records[p] for p in positions]), rejected


def code_matrix(codes: Codes) -> NDArray[np.uint8]:
    """The characters of S29 codes as rows × 29 bytes."""
    return np.ascontiguousarray(codes).view(np.uint8).reshape(-1, CODE_LENGTH)


def _faults(frames: list[Frame], keys: list[bytes | None]) -> dict[int, RejectError]:
    """What is wrong with frames that decoded, by index. A batch of good frames is not looked at one by one."""
    if _all_good(frames, keys):
        return {}
    faults = ((i, _fault(frame, key)) for i, (frame, key) in enumerate(zip(frames, keys, strict=True)))
    return {i: fault for i, fault in faults if fault}


def _all_good(frames: list[Frame], keys: list[bytes | None]) -> bool:
    codes = "".join([f.robot_id for f in frames])
    if not codes.isascii() or {len(f.robot_id) for f in frames} - {CODE_LENGTH} or not _good_codes(codes):
        return False
    given = [key or b"" for key in keys]
    if set(map(len, given)) - {CODE_LENGTH} or b"".join(given) != codes.encode():
        return False
    texts = {f.scenario for f in frames} | {f.software for f in frames}
    shapes = {(f.layout, len(f.values), _length(f.extremes)) for f in frames}
    return all(map(_storable, texts)) and not any(_bad_shape(*shape) for shape in shapes)


def _fault(frame: Frame, key: bytes | None) -> RejectError | None:
    code = frame.robot_id
    if len(code) != CODE_LENGTH or not code.isascii() or not _good_codes(code):
        return RejectError("bad_code", f"{code[:60]!r} is not 2 letters and 27 digits or capitals")
    if key != code.encode():
        # Partition, order and state all follow from the key, so a frame under another key is not usable.
        return RejectError("key_mismatch", f"record key {key!r:.60} for robot {code!r}")
    if fault := _bad_shape(frame.layout, len(frame.values), _length(frame.extremes)):
        return fault
    if not (_storable(frame.scenario) and _storable(frame.software)):
        return RejectError("bad_text", "scenario or software holds a NUL or a lone surrogate")
    return None


def _good_codes(joined: str) -> bool:
    """Whether every CODE_LENGTH characters of an ASCII text are a code."""
    characters = np.frombuffer(joined.encode(), np.uint8).reshape(-1, CODE_LENGTH)
    return bool(_DIGIT_OR_CAPITAL[characters].all() and (characters[:, :2] >= ord("A")).all())


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _length(extremes: bytes | None) -> int | None:
    return None if extremes is None else len(extremes)


def _bad_shape(layout: str, length: int, extremes: int | None) -> RejectError | None:
    try:
        expected = len(parse_layout(layout).slots)
    except RejectError as error:
        return error
    if length != 4 * expected:
        return RejectError("values_mismatch", f"{length} bytes for {expected} float32 values")
    if extremes is not None and extremes != 8 * expected:
        return RejectError("values_mismatch", f"{extremes} bytes of extremes for {expected} float32 values twice")
    return None


def _columns(frames: list[Frame], records: list[Record]) -> FrameColumns:
    return FrameColumns(
        offset=_int64([r.offset for r in records]),
        received_us=_int64([r.timestamp for r in records]) * 1000,
        robot_id=np.frombuffer("".join([f.robot_id for f in frames]).encode(), f"S{CODE_LENGTH}"),
        boot_id=_int64([f.boot_id for f in frames]),
        seq=_int64([f.seq for f in frames]),
        time_us=_int64([f.time_us for f in frames]),
        mono_us=_int64([f.mono_us for f in frames]),
        counters={name: _counter([getattr(f, name) for f in frames]) for name in FRAME_COUNTERS},
        mode=np.array([f.mode for f in frames], np.int16),
        backfill=(_int64([f.flags for f in frames]) & FLAG_BACKFILL).astype(bool),
        scenario=Texts.of([f.scenario for f in frames]),
        software=Texts.of([f.software for f in frames]),
        groups=_groups(frames),
        parts={row: f.parts for row, f in enumerate(frames) if f.parts is not None},
    )


def _int64(values: list[int]) -> Int64:
    return np.fromiter(values, np.int64, len(values))


def _counter(values: list[Any]) -> Int64:
    if None in values:
        values = [ABSENT if v is None else v for v in values]
    return _int64(values)


def _groups(frames: list[Frame]) -> list[LayoutGroup]:
    """Join the values of each layout; layouts that differ in order only come together as one."""
    layouts = Texts.of([f.layout for f in frames])
    parts: dict[Layout, list[LayoutGroup]] = {}
    for code, text in enumerate(layouts.values):
        layout = parse_layout(text)
        rows = np.nonzero(layouts.codes == code)[0]
        chosen = frames if len(layouts.values) == 1 else [frames[i] for i in rows]
        values = np.frombuffer(b"".join([f.values for f in chosen]), "<f4").reshape(len(rows), len(layout.slots))
        extremes = _extremes(chosen, len(layout.slots))
        if (order := layout.canonical_order) is not None:
            values = values[:, order]
            extremes = extremes and Extremes(extremes.lowest[:, order], extremes.highest[:, order])
        parts.setdefault(layout.canonical, []).append(LayoutGroup(layout.canonical, rows, values, extremes))
    return [joined(groups) for groups in parts.values()]


def _extremes(frames: list[Frame], slots: int) -> Extremes | None:
    given = [f.extremes for f in frames]
    if not any(given):
        return None
    both = b"".join([2 * f.values if f.extremes is None else f.extremes for f in frames])
    pairs = np.frombuffer(both, "<f4").reshape(len(frames), 2, slots)
    return Extremes(pairs[:, 0], pairs[:, 1])


def joined(groups: Sequence[LayoutGroup]) -> LayoutGroup:
    """Groups of one layout, one after the other."""
    if len(groups) == 1:
        return groups[0]
    extremes = None
    if any(group.extremes for group in groups):
        given = [group.extremes or Extremes(group.values, group.values) for group in groups]
        extremes = Extremes(
            np.concatenate([each.lowest for each in given]), np.concatenate([each.highest for each in given])
        )
    rows = np.concatenate([group.rows for group in groups])
    return LayoutGroup(groups[0].layout, rows, np.concatenate([group.values for group in groups]), extremes)
