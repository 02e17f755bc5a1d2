"""ROS messages decoded by the definition that stands in their file, with rosbags' type system.

In: a channel whose encoding is cdr or ros1. Out: a function from bytes to a message. Called by
`ingest/bags/decoding.py` only, so that JSON lines need no ROS libraries.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.base import TypesysError
from rosbags.typesys.msg import normalize_msgtype
from rosbags.typesys.store import Typestore

from ingest.bags.container import Channel
from ingest.bags.decoding import UnknownTypeError

# Recordings before Iron carry no definitions; ROS's own messages have not changed since.
WITHOUT_DEFINITIONS = Stores.ROS2_HUMBLE
IDL_SEPARATOR = "=" * 80 + "\n"


def ros_decoder(channel: Channel) -> Callable[[bytes], Any]:
    """Raises UnknownTypeError."""
    kind = normalize_msgtype(channel.type)
    store = _store(channel, kind)
    if kind not in store.fielddefs:
        raise UnknownTypeError(f"{channel.topic} is of type {channel.type}, whose definition is not in the file")
    deserialize = store.deserialize_cdr if channel.encoding == "cdr" else store.deserialize_ros1
    return partial(deserialize, typename=kind)


def _store(channel: Channel, kind: str) -> Typestore:
    if not channel.definition:
        return get_typestore(WITHOUT_DEFINITIONS)
    store = get_typestore(Stores.EMPTY)
    try:
        if channel.form == "ros2idl":
            for part in channel.definition.split(IDL_SEPARATOR):
                if part.startswith("IDL: "):
                    store.register(get_types_from_idl(part.partition("\n")[2]))
        else:
            store.register(get_types_from_msg(channel.definition, kind))
    except (TypesysError, ValueError, KeyError, SyntaxError) as error:
        raise UnknownTypeError(
            f"{channel.topic} is of type {channel.type}, whose definition cannot be read ({error})"
        ) from None
    return store
