"""What travels on `telemetry.vitals`: windows of a shard, crossings, late marks and pulses; and operators' actions.

Written by the summariser (actions by the assessor), read by the assessor and the lander. `decode_vitals` reads any
of the five; each is a MessagePack array whose first entry names its kind. A window travels by columns: counts and
statistics of all robots of a shard and layout as packed little-endian arrays.
"""

from collections.abc import Callable
from typing import Annotated, Any, NewType

import msgspec
import numpy as np

from schemas.action import Action, check_action
from schemas.columns import Float32
from schemas.errors import RejectError
from schemas.layout import Layout, parse_layout
from schemas.robot_code import CODE_LENGTH, is_code
from schemas.signals import MODES, SIGNAL, STATISTICS, Statistic

VITALS_VERSION = 1

FINAL, PROVISIONAL, REPAIRED = 0, 1, 2
WINDOW_KINDS = ("final", "provisional", "repaired")

MODE_SIGNAL = "mode"  # a crossing of the robot's own word that it is at fault has no signal of the table

LATE_REASONS = ("window_closed", "sequence_seen", "clock_ahead")

CrossingId = NewType("CrossingId", str)
_Kind = Annotated[int, msgspec.Meta(ge=0, le=2)]


class Vitals(msgspec.Struct, array_like=True, tag="vitals", gc=False, kw_only=True):
    """One window of one shard and layout: n robots, in the order of `robot_id`.

    Packed arrays, one entry a robot: `robot_id` S29; `frames` int32, how many frames the window holds; `first_seq`,
    `last_seq`, `boot_id` int64 (of the last frame's boot); `missing` int32, sequence numbers not seen between first
    and last of each boot; `last_time_us`, `received_us` int64, event and broker time of the last frame;
    `fault_frames`, `backfill_frames` int32; `mode` int16 and the counters int64 of the last frame (-1 = absent).
    `statistics`: in the order of `signals.STATISTICS` one float32 array robots × the layout's slots that keep it;
    NaN where no frame had the value. `software`, `scenario`: of the last frame, a text a robot.
    """

    v: int
    shard: int
    layout: str
    kind: _Kind
    start_us: int
    length_us: int
    robot_id: bytes
    frames: bytes
    first_seq: bytes
    last_seq: bytes
    boot_id: bytes
    missing: bytes
    last_time_us: bytes
    received_us: bytes
    fault_frames: bytes
    backfill_frames: bytes
    mode: bytes
    runtime_s: bytes
    energy_wh: bytes
    cycles: bytes
    software: list[str]
    scenario: list[str]
    statistics: list[bytes]


# The packed columns of a window and their types, in the order of the struct.
WINDOW_COLUMNS: dict[str, str] = {
    "robot_id": f"S{CODE_LENGTH}",
    "frames": "<i4",
    "first_seq": "<i8",
    "last_seq": "<i8",
    "boot_id": "<i8",
    "missing": "<i4",
    "last_time_us": "<i8",
    "received_us": "<i8",
    "fault_frames": "<i4",
    "backfill_frames": "<i4",
    "mode": "<i2",
    "runtime_s": "<i8",
    "energy_wh": "<i8",
    "cycles": "<i8",
}


class Crossing(msgspec.Struct, array_like=True, tag="crossing", frozen=True, kw_only=True):
    """One reading that left an alarm limit its robot was inside of. `joint` counts from 1, 0 = none.

    `side` is `above` or `below`; `signal` is a name of the signal table, or `mode` when the robot says `fault`.
    """

    v: int
    robot_id: str
    boot_id: int
    seq: int
    time_us: int
    received_us: int
    signal: str
    joint: int
    side: str
    value: float
    limit: float
    software: str
    scenario: str

    @property
    def id(self) -> CrossingId:
        """Follows from the reading, so that a repeat is the same crossing."""
        return CrossingId(f"{self.boot_id}-{self.seq}-{self.signal}-{self.joint}")


class Late(msgspec.Struct, array_like=True, tag="late", kw_only=True):
    """Windows that miss frames: one entry a (robot, window), `offset` the highest frame offset left out of it.

    `reason` holds an index into LATE_REASONS for each; `time_us` and `received_us` are those of that frame.
    """

    v: int
    partition: int
    length_us: int
    robot_id: list[str]
    start_us: list[int]
    offset: list[int]
    reason: list[int]
    time_us: list[int]
    received_us: list[int]


class Pulse(msgspec.Struct, array_like=True, tag="pulse", kw_only=True):
    """«All of this partition's frames up to `now_us` have been read»: what silence is measured by.

    `now_us` is the wall clock less the grace, for so long a closed window's frames may still be on their way.
    """

    v: int
    partition: int
    now_us: int
    watermark_us: int


class Acted(msgspec.Struct, array_like=True, tag="action", kw_only=True):
    """An operator's action, in its place among what it is about: from here on its order is fixed.

    `taken_us` is when it got that place: later than all pulses before it, and not by the clock of its actor.
    """

    v: int
    action: Action
    taken_us: int


Message = Vitals | Crossing | Late | Pulse | Acted

_decoder = msgspec.msgpack.Decoder(Message)
_encoder = msgspec.msgpack.Encoder()


def encode_vitals(message: Message) -> bytes:
    """The bytes of any message of this topic."""
    return _encoder.encode(message)


def decode_vitals(value: bytes) -> Message:
    """Read any message of this topic. Raises RejectError."""
    try:
        message: Message = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectError("undecodable", str(error)[:200]) from None
    if message.v != VITALS_VERSION:
        raise RejectError("future_version", f"version {message.v}; this program reads {VITALS_VERSION}")
    _CHECKS[type(message)](message)
    return message


def _check_window(vitals: Vitals) -> None:
    columns = unpack_columns(vitals)
    unpack_statistics(vitals)
    if not all(is_code(code.decode("latin-1")) for code in columns["robot_id"].tolist()):
        raise RejectError("bad_code", "a window of a robot whose code is none")
    if not ((columns["mode"] >= 0) & (columns["mode"] < len(MODES))).all() or vitals.length_us <= 0:
        raise RejectError("wrong_type", "a window of a mode that does not exist, or of no length")


def _check_crossing(crossing: Crossing) -> None:
    if crossing.signal not in SIGNAL and crossing.signal != MODE_SIGNAL:
        raise RejectError("unknown_signal", f"{crossing.signal[:80]!r} is not in the signal table")
    if not is_code(crossing.robot_id):
        raise RejectError("bad_code", f"a crossing of {crossing.robot_id[:60]!r}")


def _check_late(late: Late) -> None:
    columns = (late.robot_id, late.start_us, late.offset, late.reason, late.time_us, late.received_us)
    if len({len(column) for column in columns}) > 1:
        raise RejectError("values_mismatch", "the lists of a late mark differ in length")
    if not all(0 <= reason < len(LATE_REASONS) for reason in late.reason):
        raise RejectError("wrong_type", "a late mark has a reason that does not exist")
    if not all(is_code(code) for code in late.robot_id):
        raise RejectError("bad_code", "a late mark of a robot whose code is none")


_CHECKS: dict[type, Callable[[Any], None]] = {
    Vitals: _check_window,
    Crossing: _check_crossing,
    Late: _check_late,
    Pulse: lambda pulse: None,
    Acted: lambda acted: check_action(acted.action),
}


def unpack_columns(vitals: Vitals) -> dict[str, np.ndarray[Any, Any]]:
    """The packed columns by name, each with one entry a robot. Raises RejectError when lengths disagree."""
    size = len(vitals.robot_id) // CODE_LENGTH
    columns: dict[str, np.ndarray[Any, Any]] = {}
    for name, kind in WINDOW_COLUMNS.items():
        packed: bytes = getattr(vitals, name)
        if len(packed) != size * np.dtype(kind).itemsize:
            raise RejectError("values_mismatch", f"{name} has {len(packed)} bytes for {size} robots")
        columns[name] = np.frombuffer(packed, kind)
    if len(vitals.software) != size or len(vitals.scenario) != size:
        raise RejectError("values_mismatch", f"texts of {len(vitals.software)} robots beside {size} codes")
    return columns


def unpack_statistics(vitals: Vitals) -> dict[Statistic, Float32]:
    """Each statistic as robots × the slots that keep it (`Layout.keeping`). Raises RejectError."""
    layout = parse_layout(vitals.layout)
    size = len(vitals.robot_id) // CODE_LENGTH
    if len(vitals.statistics) != len(STATISTICS):
        raise RejectError("values_mismatch", f"{len(vitals.statistics)} statistics, not {len(STATISTICS)}")
    unpacked: dict[Statistic, Float32] = {}
    for statistic, packed in zip(STATISTICS, vitals.statistics, strict=True):
        width = len(layout.keeping(statistic))
        if len(packed) != 4 * size * width:
            raise RejectError("values_mismatch", f"{statistic} has {len(packed)} bytes for {size} × {width} values")
        unpacked[statistic] = np.frombuffer(packed, "<f4").reshape(size, width)
    return unpacked


def pack_statistics(layout: Layout, full: dict[Statistic, Float32]) -> list[bytes]:
    """From robots × all slots matrices to the packed columns that each statistic keeps."""
    return [
        np.ascontiguousarray(full[statistic][:, layout.keeping(statistic)], "<f4").tobytes()
        for statistic in STATISTICS
    ]
