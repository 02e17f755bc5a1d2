"""The last weeks of a life, packed: what its next hours are held against, so that nothing older need be read again.

In: hours and levels, or the bytes of those before. Out: the same, or bytes. Called by `processors/auditing.py`.
Bytes of another version, or that cannot be read, are None: the whole life is then read once more.
"""

import zlib
from dataclasses import fields
from typing import Any

import msgspec
import numpy as np

from processors.audit.levels import Levels
from schemas.columns import Texts
from schemas.hours import DAY_US, Hours

VERSION = 1
DAYS = 45
"""Ours: what `hidden.py` and `too_low.py` need before and after a change, with some days to spare."""
BEFORE = 24
"""Hours before those days, for a silence that is longer than they are."""

_INTEGERS = ("start_us", "last_us", "received_us", "boots", "runtime_s", "energy_wh", "cycles")
_REALS = ("seen_s", "active_s")
_TEXTS = ("software", "scenario")


class _Packed(msgspec.Struct, array_like=True):
    version: int
    integers: dict[str, bytes]
    reals: dict[str, bytes]
    texts: dict[str, tuple[bytes, list[str]]]
    levels: dict[str, bytes]
    joints: int


def nothing() -> tuple[Hours, Levels]:
    """Of a robot that has no hours yet."""
    integers, reals, texts = np.empty(0, np.int64), np.empty(0, np.float32), Texts(np.empty(0, np.int32), [])
    hours: dict[str, Any] = {**dict.fromkeys(_INTEGERS, integers), **dict.fromkeys(_REALS, reals)}
    hours |= dict.fromkeys(_TEXTS, texts)
    joints = np.empty((0, 0), np.float32)
    return Hours(**hours), Levels(integers, joints, joints, joints, reals, reals)


def recent(hours: Hours, levels: Levels) -> tuple[Hours, Levels]:
    """What the context keeps of them."""
    if not len(hours):
        return hours, levels
    since_us = int(hours.start_us[-1]) - DAYS * DAY_US
    first = max(int(np.searchsorted(hours.start_us, since_us)) - BEFORE, 0)
    chosen = levels.day >= since_us // DAY_US
    return hours.at(slice(first, None)), Levels(*(getattr(levels, field.name)[chosen] for field in fields(Levels)))


def pack(hours: Hours, levels: Levels) -> bytes:
    """Differences, for they are small and compress well."""
    hours, levels = recent(hours, levels)
    packed = _Packed(
        VERSION,
        {name: np.diff(getattr(hours, name), prepend=0).tobytes() for name in _INTEGERS},
        {name: getattr(hours, name).tobytes() for name in _REALS},
        {name: (getattr(hours, name).codes.tobytes(), getattr(hours, name).values) for name in _TEXTS},
        {field.name: getattr(levels, field.name).tobytes() for field in fields(Levels)},
        levels.wear.shape[1],
    )
    return zlib.compress(msgspec.msgpack.encode(packed), 1)


def unpack(data: bytes) -> tuple[Hours, Levels] | None:
    try:
        packed = msgspec.msgpack.decode(zlib.decompress(data), type=_Packed)
    except (zlib.error, msgspec.DecodeError):
        return None
    if packed.version != VERSION:
        return None
    columns: dict[str, Any] = {
        name: np.cumsum(np.frombuffer(data, np.int64)) for name, data in packed.integers.items()
    }
    columns |= {name: np.frombuffer(data, np.float32) for name, data in packed.reals.items()}
    columns |= {
        name: Texts(np.frombuffer(codes, np.int32), values) for name, (codes, values) in packed.texts.items()
    }
    days: dict[str, Any] = {}
    for name, data in packed.levels.items():
        values = np.frombuffer(data, np.int64 if name == "day" else np.float32)
        days[name] = values.reshape(-1, packed.joints) if name in ("wear", "backlash", "friction") else values
    return Hours(**columns), Levels(**days)


def joined(before: tuple[Hours, Levels], after: tuple[Hours, Levels]) -> tuple[Hours, Levels]:
    """What came later takes the place of what there was of the same hours and days."""
    (old_hours, old_levels), (hours, levels) = before, after
    if not len(hours):
        return before
    kept = old_hours.at(old_hours.start_us < hours.start_us[0])
    whole: dict[str, Any] = {
        name: np.concatenate([getattr(kept, name), getattr(hours, name)]) for name in (*_INTEGERS, *_REALS)
    }
    for name in _TEXTS:
        texts = [[part.values[code] for code in part.codes] for part in (getattr(kept, name), getattr(hours, name))]
        whole[name] = Texts.of([*texts[0], *texts[1]])
    return Hours(**whole), _joined_levels(old_levels, levels)


def _joined_levels(before: Levels, after: Levels) -> Levels:
    if not len(after):
        return before
    kept = before.day < after.day[0]
    joints = max(before.wear.shape[1], after.wear.shape[1])
    columns: dict[str, Any] = {}
    for field in fields(Levels):
        old, new = getattr(before, field.name)[kept], getattr(after, field.name)
        if old.ndim == 2:
            old, new = _wide(old, joints), _wide(new, joints)
        columns[field.name] = np.concatenate([old, new])
    return Levels(**columns)


def _wide(values: Any, joints: int) -> Any:
    return np.pad(values, ((0, 0), (0, joints - values.shape[1])), constant_values=np.nan)
