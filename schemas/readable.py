"""Any message of any topic as a plain document that a person can read.

In: a topic's name and a record's value. Out: a document for JSON; what cannot be read says why and shows the bytes.
Called by `robovitals tail`.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from schemas.action import decode_action
from schemas.anomaly import decode_anomaly
from schemas.errors import RejectError
from schemas.frame import Frame, decode_frame
from schemas.health import decode_health
from schemas.layout import parse_layout
from schemas.reject import decode_reject
from schemas.signals import MODES, Component
from schemas.topics import ACTIONS, ANOMALIES, FRAMES, HEALTH, REJECTS, VITALS
from schemas.vitals import WINDOW_KINDS, Vitals, decode_vitals, unpack_columns, unpack_statistics

MAX_BYTES_SHOWN = 200


def readable(topic: str, value: bytes | None) -> dict[str, Any]:
    """The document; numbers that JSON does not have (NaN, infinity) become null."""
    if value is None:
        return {"deleted": True}
    try:
        return _READERS[topic](value) if topic in _READERS else {"bytes": len(value)}
    except (RejectError, msgspec.DecodeError) as error:
        return {"unreadable": str(error), "bytes": value[:MAX_BYTES_SHOWN].hex()}


def _frame_header(frame: Frame) -> dict[str, Any]:
    """The header of a frame with its mode in words."""
    header = msgspec.structs.asdict(frame)
    del header["layout"], header["values"]
    return header | {"mode": MODES[frame.mode]}


def _frame(value: bytes) -> dict[str, Any]:
    frame = decode_frame(value)
    values = np.frombuffer(frame.values, "<f4").tolist()
    layout = parse_layout(frame.layout)
    readings = {name: values[first:after] for name, (first, after) in layout.spans.items()}
    joints = {slot.signal.name for slot in layout.slots if slot.signal.component is Component.JOINT}
    return _frame_header(frame) | {
        "readings": {n: v if n in joints else v[0] if v else None for n, v in readings.items()}
    }


def _vitals(value: bytes) -> dict[str, Any]:
    message = decode_vitals(value)
    kind = type(message).__name__.lower()
    if not isinstance(message, Vitals):
        return {"message": kind} | msgspec.structs.asdict(message)
    columns = unpack_columns(message)
    return {
        "message": kind,
        "kind": WINDOW_KINDS[message.kind],
        "shard": message.shard,
        "start_us": message.start_us,
        "length_us": message.length_us,
        "layout": message.layout,
        "robots": [code.decode() for code in columns["robot_id"].tolist()],
        "frames": columns["frames"].tolist(),
        "statistics": {name: list(matrix.shape) for name, matrix in unpack_statistics(message).items()},
    }


def _reject(value: bytes) -> dict[str, Any]:
    document = msgspec.structs.asdict(decode_reject(value))
    key = document["key"]
    return document | {
        "key": key.decode(errors="replace") if key is not None else None,
        "value": document["value"][:MAX_BYTES_SHOWN].hex(),
    }


_READERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    FRAMES.name: _frame,
    VITALS.name: _vitals,
    HEALTH.name: lambda value: msgspec.structs.asdict(decode_health(value)),
    ANOMALIES.name: lambda value: msgspec.structs.asdict(decode_anomaly(value)),
    ACTIONS.name: lambda value: msgspec.structs.asdict(decode_action(value)),
    REJECTS.name: _reject,
}
