"""One spooled frame, and the check sum that it lies on the disk with.

In: a frame's bytes and what it is known by, or a row of the spool's table. Out: the row, or the frame again, None
where a bit of it is not what was written. Called by `ingest/agent/spool.py`, `store.py` and `salvage.py`.
"""

import struct
import zlib
from typing import Any

import msgspec

_HEAD = struct.Struct("<4Q")

Row = tuple[Any, ...]  # id, boot_id, seq, time_us, crc, value; of a damaged file they may be anything


class Spooled(msgspec.Struct, frozen=True, gc=False):
    """One frame that waits. `id` rises in the order of `append` and names it to the spool, to nobody else."""

    id: int
    boot_id: int
    seq: int
    time_us: int
    value: bytes


def to_row(spooled: Spooled) -> Row:
    crc = _crc(spooled.id, spooled.boot_id, spooled.seq, spooled.time_us, spooled.value)
    return spooled.id, spooled.boot_id, spooled.seq, spooled.time_us, crc, spooled.value


def from_row(row: Row) -> Spooled | None:
    """None where it is damaged: the check sum covers all columns, so no frame gets another's id, boot or time."""
    row_id, boot_id, seq, time_us, crc, value = row
    try:
        if _crc(row_id, boot_id, seq, time_us, value) != crc:
            return None
    except (struct.error, TypeError):
        return None
    return Spooled(row_id, boot_id, seq, time_us, value)


def _crc(row_id: int, boot_id: int, seq: int, time_us: int, value: bytes) -> int:
    return zlib.crc32(value, zlib.crc32(_HEAD.pack(row_id, boot_id, seq, time_us)))
