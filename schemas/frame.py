"""Frame: what a robot publishes, in MessagePack (packed) or JSON (named), and how one is read.

In: bytes of a record's value. Out: a `Frame`, or RejectError with one of REJECT_REASONS. Called by whatever
publishes (`encode_frame`) and, a record at a time, by `schemas/columns.py`, which then goes on by columns.

The first byte tells the encodings apart: `{` opens JSON, everything else is MessagePack. A frame stands alone:
`layout` explains `values`, one packed little-endian float32 array in which NaN means absent.

`dropped`, `extremes` and `parts` came later. They stand last and may be missing, so frames from before them read as
ever, and readers from before them pass over what follows the fields that they know.
"""

import json
import math
import struct
from typing import Annotated

import msgspec

from schemas.errors import RejectError
from schemas.layout import Layout, parse_layout
from schemas.parts import Parts
from schemas.signals import MODES, SIGNAL, SIGNAL_ORDER, Component

FRAME_VERSION = 1

# 128 joints × 10 signals × 4 bytes are 5 kB, as JSON some 30 kB; beyond this it is not a frame.
MAX_FRAME_BYTES = 64 * 1024

# PostgreSQL and JavaScript both hold integers up to here exactly (in µs: the year 2255).
MAX_INTEGER = 2**53 - 1

EARLIEST_US = 1_577_836_800_000_000  # 2020-01-01: a clock before it has never been set

FLAG_BACKFILL = 1  # sent late from the spool: stored like any other, never raises a live alarm

REJECT_REASONS = {
    "too_large": f"the record is larger than {MAX_FRAME_BYTES} bytes",
    "undecodable": "the bytes are neither MessagePack nor JSON: random, or cut short",
    "wrong_type": "a field is missing, of the wrong type, or a number or text of the header is out of range",
    "future_version": "the frame's version is newer than this program",
    "bad_code": "the robot code is not 2 letters and 27 digits or capitals",
    "key_mismatch": "the record's key is not the frame's robot code",
    "bad_text": "a text holds a NUL, which the database cannot store",
    "bad_layout": "the layout cannot be read",
    "unknown_signal": "a signal is not in the signal table",
    "too_many_joints": "more joints than any robot has",
    "values_mismatch": "the values are not what their layout explains",
    "refused_by_database": "it decodes, and yet the database cannot store it",
    "seal_missing": "seals are required of the robot's maker, and the record has none",
    "seal_wrong": "the seal is not of the robot that the record claims to be from, or not of this record",
    "seal_old_key": "the seal is of a key of the robot that was replaced or revoked",
    "seal_replayed": "a copy, sent long after the original landed and not sealed again, as the robot would have",
    "seal_stale": "sealed so long ago that its original's row may be gone: a copy, or a clock that is days behind",
}
# What somebody makes who is not the robot: the fault is in no frame of the robot's own.
SEAL_REASONS = tuple(reason for reason in REJECT_REASONS if reason.startswith("seal_"))

_Natural = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
_Text = Annotated[str, msgspec.Meta(max_length=200)]
Readings = dict[str, float | list[float | None] | None]


class Frame(msgspec.Struct, array_like=True, gc=False):
    """One frame in its packed form.

    `boot_id` is random per boot and `seq` counts 0, 1, 2… within it; `time_us` is event time in UTC µs,
    `mono_us` the monotonic clock beside it. The counters are cumulative and None where the robot has none.
    `mode` indexes `schemas.signals.MODES`; `flags` is a bit set (FLAG_BACKFILL). `dropped` counts the frames that
    the robot's agent had to drop, cumulative over its spool's life; None where nothing counts them. `extremes` is
    of a frame that stands for several readings a slot, which `values` holds the means of: the lowest of every slot,
    then the highest of every slot, packed like `values`; NaN where there is none beside the mean. `parts`: of each
    component that the robot can ask, the serial of the part in it; all of them, told at boot, hourly and on change.
    """

    v: int
    robot_id: str
    boot_id: _Natural
    seq: _Natural
    time_us: _Natural
    mono_us: _Natural
    runtime_s: _Natural | None
    energy_wh: _Natural | None
    cycles: _Natural | None
    mode: Annotated[int, msgspec.Meta(ge=0, le=len(MODES) - 1)]
    scenario: _Text
    software: _Text
    flags: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    layout: Annotated[str, msgspec.Meta(max_length=4096)]
    values: bytes
    dropped: _Natural | None = None
    extremes: bytes | None = None
    parts: Parts | None = None


class JsonFrame(msgspec.Struct, kw_only=True):
    """One frame for whoever has only `kcat`: named fields and plain arrays; null means absent.

    `readings` has signal names of the signal table; a joint signal is an array with one entry a joint. `lowest` and
    `highest` are named like them, for readings that are means. `parts` are serials by component (`joint/3`,
    `battery`, `controller` …): all that the robot has, now and then and when one is another.
    """

    v: int
    robot_id: str
    boot_id: _Natural
    seq: _Natural
    time_us: _Natural
    readings: Readings
    mono_us: _Natural = 0
    runtime_s: _Natural | None = None
    energy_wh: _Natural | None = None
    cycles: _Natural | None = None
    mode: str = "idle"
    scenario: _Text = ""
    software: _Text = ""
    backfill: bool = False
    dropped: _Natural | None = None
    lowest: Readings | None = None
    highest: Readings | None = None
    parts: Parts | None = None


class _Versioned(msgspec.Struct, array_like=True):
    v: int


class _VersionedJson(msgspec.Struct):
    v: int


_encoder = msgspec.msgpack.Encoder()
_packed = msgspec.msgpack.Decoder(Frame)
_named = msgspec.json.Decoder(JsonFrame)
_packed_version = msgspec.msgpack.Decoder(_Versioned)
_named_version = msgspec.json.Decoder(_VersionedJson)
_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)


def encode_frame(frame: Frame) -> bytes:
    """The packed encoding."""
    return _encoder.encode(frame)


def decode_frame(value: bytes) -> Frame:
    """Read either encoding. Raises RejectError; what the columns check together is not checked here."""
    if len(value) > MAX_FRAME_BYTES:
        raise RejectError("too_large", f"{len(value)} bytes; at most {MAX_FRAME_BYTES} are taken")
    try:
        frame = _decode_json(value) if value[:1] == b"{" else _packed.decode(value)
    except _FAULTS as error:
        raise _unreadable(value, error) from None
    if frame.v != FRAME_VERSION:
        raise _wrong_version(frame.v)
    return frame


def _decode_json(value: bytes) -> Frame:
    try:
        named = _named.decode(value)
    except msgspec.DecodeError as error:
        if isinstance(error, msgspec.ValidationError) and "out of range" not in str(error):
            raise
        # Python's own writer emits NaN and Infinity, and 1e999 is infinite to it: readings that msgspec
        # refuses, and that are absent or impossible, not a reason to lose their neighbours.
        named = msgspec.convert(json.loads(value), JsonFrame)
    return _from_json(named)


def _unreadable(value: bytes, error: Exception) -> RejectError:
    """A frame of a future version may well fail to decode: its version is then the reason, not its types."""
    try:
        version = (_named_version if value[:1] == b"{" else _packed_version).decode(value).v
    except _FAULTS:
        version = FRAME_VERSION
    if version != FRAME_VERSION:
        return _wrong_version(version)
    reason = "wrong_type" if isinstance(error, msgspec.ValidationError) else "undecodable"
    return RejectError(reason, str(error)[:200])


def _wrong_version(version: int) -> RejectError:
    if version > FRAME_VERSION:
        return RejectError("future_version", f"version {version}; this program reads {FRAME_VERSION}")
    return RejectError("wrong_type", f"version {version} has never existed")


def _from_json(named: JsonFrame) -> Frame:
    if named.mode not in MODES:
        raise RejectError("wrong_type", f"mode {named.mode[:40]!r} is none of {', '.join(MODES)}")
    layout, values = pack_readings(named.readings)
    return Frame(
        v=named.v,
        robot_id=named.robot_id,
        boot_id=named.boot_id,
        seq=named.seq,
        time_us=named.time_us,
        mono_us=named.mono_us,
        runtime_s=named.runtime_s,
        energy_wh=named.energy_wh,
        cycles=named.cycles,
        mode=MODES.index(named.mode),
        scenario=named.scenario,
        software=named.software,
        flags=FLAG_BACKFILL if named.backfill else 0,
        layout=layout.text,
        values=values,
        dropped=named.dropped,
        extremes=_pack_extremes(layout, named.lowest, named.highest),
        parts=named.parts,
    )


def _pack_extremes(layout: Layout, lowest: Readings | None, highest: Readings | None) -> bytes | None:
    """Both as the packed form has them, NaN where a signal or a joint is left out."""
    if lowest is None and highest is None:
        return None
    flat: list[float] = []
    for side, readings in (("lowest", lowest or {}), ("highest", highest or {})):
        if others := readings.keys() - set(layout.signals):
            raise RejectError("values_mismatch", f"{side} has {min(others)[:80]!r}, which readings have not")
        for name in layout.signals:
            begin, end = layout.spans[name]
            of_joints = SIGNAL[name].component is Component.JOINT
            reading = readings.get(name)
            entries = reading if isinstance(reading, list) else [reading] * (end - begin if reading is None else 1)
            if len(entries) != end - begin or (isinstance(reading, list) and not of_joints):
                raise RejectError("values_mismatch", f"{side}: {name} has not the shape of its readings")
            flat += [math.nan if entry is None else entry for entry in entries]
    return pack_values(flat)


def pack_readings(readings: Readings) -> tuple[Layout, bytes]:
    """Readings by name as a canonical layout and its packed values; None becomes NaN.

    Raises RejectError where a signal is unknown, or its shape is not its component's.
    """
    for name in readings:
        if name not in SIGNAL:
            raise RejectError("unknown_signal", f"{name[:80]!r} is not in the signal table")
    names = sorted(readings, key=SIGNAL_ORDER.__getitem__)
    joints = {len(r) for name in names if isinstance(r := readings[name], list)}
    if len(joints) > 1:
        raise RejectError("values_mismatch", f"joint arrays differ in length: {sorted(joints)}")
    flat: list[float] = []
    for name in names:
        reading = readings[name]
        if isinstance(reading, list) != (SIGNAL[name].component is Component.JOINT):
            raise RejectError("values_mismatch", f"{name}: one number a joint for joints, one number elsewhere")
        flat += [math.nan if r is None else r for r in (reading if isinstance(reading, list) else [reading])]
    layout = parse_layout(Layout(joints.pop() if joints else 0, tuple(names)).text)
    return layout, pack_values(flat)


def pack_values(values: list[float]) -> bytes:
    """Little-endian float32. What float32 cannot hold becomes infinite, and so an impossible reading."""
    try:
        return struct.pack(f"<{len(values)}f", *values)
    except OverflowError:
        held = [v if abs(v) <= 3.4028235e38 or v != v else math.copysign(math.inf, v) for v in values]
        return struct.pack(f"<{len(held)}f", *held)
