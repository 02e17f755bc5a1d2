"""ROS 1 bags (format 2.0), read from front to end: an index is not needed, so neither is `rosbag reindex`.

In: an open file. Out: messages and damage, as `ingest/bags/container.py` says. The record headers are rosbags' own.
A chunk that cannot be unpacked costs itself only; a file that was cut short ends where it was cut.
"""

import bz2
import io
import struct
from collections.abc import Iterator

from lz4.frame import decompress as lz4_decompress
from rosbags.rosbag1.reader import Header, ReaderError, RecordType, read_bytes, read_uint32
from rosbags.typesys.msg import normalize_msgtype

from ingest.bags.container import Channel, Channels, Damage, Message
from schemas.errors import SettingError

MOST_BYTES = 1 << 30  # no record is near it: a length beyond is a damaged one, and would be memory
UNPACK = {"none": lambda data: data, "bz2": bz2.decompress, "lz4": lz4_decompress}
DAMAGED = (ReaderError, OSError, EOFError, ValueError, RuntimeError, KeyError, struct.error)
NANOSECONDS = 1_000_000_000


def read_ros1_bag(file: io.BufferedReader, start: int, channels: Channels) -> Iterator[Message | Damage]:
    """All messages from a place on. Raises SettingError for a bag of another format or an encrypted one."""
    version = file.readline(64)
    if version != b"#ROSBAG V2.0\n":
        raise SettingError(f"{file.name}: a bag of {version[1:].strip().decode(errors='replace')}: V2.0 is read")
    end = file.seek(0, io.SEEK_END)
    file.seek(start or len(version))
    while (place := file.tell()) < end:
        try:
            header = Header.read(file)
            kind = header.get_uint8("op")
            if kind == RecordType.CHUNK:
                data = _data(file)
            elif kind in (RecordType.MSGDATA, RecordType.CONNECTION):
                file.seek(place)
                data = read_bytes(file, _length(file, place))
            else:
                file.seek(read_uint32(file), io.SEEK_CUR)
                continue
        except DAMAGED as error:
            yield Damage(place, f"the file ends here, or is damaged ({error})")
            return
        if kind == RecordType.CHUNK:
            try:
                data = UNPACK[header.get_string("compression")](data)
            except DAMAGED as error:
                yield Damage(place, f"a chunk of {len(data)} bytes is damaged and left out ({error})")
                continue
        yield from _records(data, place, channels)


def _data(file: io.BufferedReader) -> bytes:
    size = read_uint32(file)
    if size > MOST_BYTES:
        raise ReaderError(f"a record of {size} bytes")
    return read_bytes(file, size)


def _length(file: io.BufferedReader, place: int) -> int:
    """Of the whole record at `place`: its header and its data, each with its length before it."""
    file.seek(read_uint32(file), io.SEEK_CUR)
    data_end = read_uint32(file) + file.tell()
    file.seek(place)
    if data_end - place > MOST_BYTES:
        raise ReaderError(f"a record of {data_end - place} bytes")
    return data_end - place


def _records(data: bytes, place: int, channels: Channels) -> Iterator[Message | Damage]:
    """The connections and messages of a chunk."""
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        try:
            header = Header.read(stream)
            body = read_bytes(stream, read_uint32(stream))
            if header.get_uint8("op") == RecordType.CONNECTION:
                channels.setdefault(header.get_uint32("conn"), _channel(header, body))
            elif channel := channels.get(header.get_uint32("conn")):
                yield Message(channel, header.get_time("time") // 1000, place, body)
        except DAMAGED as error:
            yield Damage(place, f"the rest of a chunk is damaged and left out ({error})")
            return


def _channel(header: Header, body: bytes) -> Channel:
    described = Header.read(io.BytesIO(struct.pack("<L", len(body)) + body))
    return Channel(
        topic=header.get_string("topic"),
        type=normalize_msgtype(described.get_string("type")),
        encoding="ros1",
        definition=described.get_string("message_definition"),
        form="ros1msg",
    )
