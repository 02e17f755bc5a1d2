"""A message's bytes as an object whose fields can be named.

In: a channel. Out: a function from bytes to a ROS message (attributes) or a JSON value (dicts and lists), which
raises one of UNDECODABLE. Called by `ingest/bags/messages.py`, `ingest/bags/survey.py` and `deploy/bag_list.py`.
"""

import json
import struct
from collections.abc import Callable
from typing import Any

import msgspec

from ingest.bags.container import Channel

READ = "cdr (ROS 2), ros1 and json"
# What a message that is cut short, or is of another type than its channel says, raises in generated code.
UNDECODABLE = (
    struct.error, ValueError, IndexError, KeyError, TypeError, AssertionError, OverflowError, RecursionError,
    MemoryError,
)  # fmt: skip


class UnknownTypeError(ValueError):
    """Messages of a channel cannot be decoded at all. The text says why."""


def decoder_of(channel: Channel) -> Callable[[bytes], Any]:
    """Raises UnknownTypeError."""
    if channel.encoding == "json":
        return _from_json
    if channel.encoding not in ("cdr", "ros1"):
        raise UnknownTypeError(f"{channel.topic} is encoded as {channel.encoding or 'nothing'!r}; {READ} are read")
    from ingest.bags.ros_types import ros_decoder

    return ros_decoder(channel)


def _from_json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        # Python's own writer emits NaN and Infinity, which msgspec refuses.
        return json.loads(data)
