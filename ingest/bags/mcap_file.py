"""MCAP files, read from front to end.

In: an open file. Out: messages and damage, as `ingest/bags/container.py` says. A chunk that cannot be unpacked, or
whose checksum is wrong, costs itself only; a file that was cut short ends where it was cut.
"""

import io
import struct
from collections.abc import Iterator
from typing import Any

import zstandard
from mcap.exceptions import McapError
from mcap.records import Channel as McapChannel
from mcap.records import Chunk, DataEnd, Footer, Schema
from mcap.records import Message as McapMessage
from mcap.stream_reader import CRCValidationError, StreamReader, breakup_chunk

from ingest.bags.container import Channel, Channels, Damage, Message

MAGIC_BYTES = 8
# No chunk of a recorder is near it: a length beyond is a damaged one, and would be memory.
MOST_BYTES = 1 << 30
# What unpacking and parsing raise on damaged bytes.
DAMAGED = (
    McapError,
    CRCValidationError,
    zstandard.ZstdError,
    RuntimeError,
    struct.error,
    ValueError,
    KeyError,
    EOFError,
)


def read_mcap(file: io.BufferedReader, start: int, channels: Channels) -> Iterator[Message | Damage]:
    """All messages from a place on."""
    file.seek(start or MAGIC_BYTES)
    known = _Known(channels)
    records = iter(StreamReader(file, skip_magic=True, emit_chunks=True, record_size_limit=MOST_BYTES).records)
    while True:
        place = file.tell()
        try:
            record = next(records, None)
        except DAMAGED as error:
            yield Damage(place, f"the file ends here, or is damaged ({_text(error)})")
            return
        if record is None or isinstance(record, DataEnd | Footer):
            return
        if not isinstance(record, Chunk):
            if message := known.take(record, place):
                yield message
            continue
        try:
            inner = list(breakup_chunk(record, validate_crc=True))
        except DAMAGED as error:
            yield Damage(place, f"a chunk of {len(record.data)} bytes is damaged and left out ({_text(error)})")
            continue
        for part in inner:
            if message := known.take(part, place):
                yield message


class _Known:
    """Schemas and channels so far."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._schemas: dict[int, Any] = {}

    def take(self, record: object, place: int) -> Message | None:
        """A message, if the record is one of a known channel."""
        if isinstance(record, McapMessage):
            channel = self._channels.get(record.channel_id)
            return Message(channel, record.log_time // 1000, place, record.data) if channel else None
        if isinstance(record, Schema):
            self._schemas[record.id] = record
        elif isinstance(record, McapChannel) and record.id not in self._channels:
            schema = self._schemas.get(record.schema_id)
            self._channels[record.id] = Channel(
                topic=record.topic,
                type=schema.name if schema else "",
                encoding=record.message_encoding,
                definition=schema.data.decode("utf-8", "replace") if schema else "",
                form=schema.encoding if schema else "",
            )
        return None


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
