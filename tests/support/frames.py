"""Frames and records for tests: one good frame, changed where a test says so."""

import math
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.frame import Frame, encode_frame, pack_readings, pack_values
from schemas.layout import Layout
from schemas.robot_code import make_code
from schemas.seal import HEADER, seal

CODE = make_code("ZZ", "TEST", "MODEL1", "1")
TIME_US = 1_760_000_000_000_000
READINGS: dict[str, Any] = {"joint_temperature_c": [30.5, None], "battery_soc": 0.75}
LOWEST: dict[str, Any] = {"joint_temperature_c": [29.5, None], "battery_soc": 0.5}
HIGHEST: dict[str, Any] = {"joint_temperature_c": [95.25, None]}


@dataclass(frozen=True)
class FakeRecord:
    """What a consumer hands over; `timestamp` is in ms as Kafka has it."""

    key: bytes | None
    value: bytes | None
    offset: int = 0
    timestamp: int = TIME_US // 1000
    partition: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


def frame(readings: dict[str, Any] | None = None, **changes: Any) -> Frame:
    """A good frame with `readings`; `changes` replace its fields, good or bad."""
    layout, values = pack_readings(READINGS if readings is None else readings)
    good = Frame(1, CODE, 7, 0, TIME_US, 5, 60, 2, None, 1, "factory_line", "1.0", 0, layout.text, values)
    return msgspec.structs.replace(good, **changes)


def sealed(
    of: Frame,
    key: bytes,
    key_version: int = 1,
    sealed_us: int | None = None,
    value: bytes | None = None,
    **fields: Any,
) -> FakeRecord:
    """A frame's record with a seal by `key`, made when the broker had it unless `sealed_us` says otherwise; `value`
    replaces the bytes after they were sealed.
    """
    good, at_ms = encode_frame(of), fields.get("timestamp", TIME_US // 1000)
    header = seal(key, key_version, of.robot_id, at_ms * 1000 if sealed_us is None else sealed_us, good)
    return FakeRecord(of.robot_id.encode(), value or good, headers=((HEADER, header),), **fields)


def extremes(layout: Layout, lowest: dict[str, Any], highest: dict[str, Any]) -> bytes:
    """Packed for `layout`; what is not named has none."""
    flat: list[float] = []
    for readings in (lowest, highest):
        for slot in layout.slots:
            reading = readings.get(slot.signal.name)
            entry = reading[slot.joint - 1] if isinstance(reading, list) else reading
            flat.append(math.nan if entry is None else entry)
    return pack_values(flat)


def downsampled(readings: dict[str, Any], lowest: dict[str, Any], highest: dict[str, Any], **changes: Any) -> Frame:
    """A good frame of means with the extremes beside them."""
    layout = pack_readings(readings)[0]
    return frame(readings, extremes=extremes(layout, lowest, highest), **changes)


DOWNSAMPLED = downsampled(READINGS, LOWEST, HIGHEST, dropped=12)
PARTS = {"joint/1": "HD-0817", "battery": "电池 2 µ", "controller": "C-1"}
WITH_PARTS = frame(parts=PARTS)


def record(of: Frame | bytes, key: bytes | None = None, **fields: Any) -> FakeRecord:
    """The record of a frame (its key is the frame's code), or of raw bytes."""
    if isinstance(of, bytes):
        return FakeRecord(key, of, **fields)
    return FakeRecord(key or of.robot_id.encode(), encode_frame(of), **fields)
