"""JSON lines: one message a line, all of one topic, named `lines`.

In: an open file. Out: messages, as `ingest/bags/container.py` says; a place is the byte at which a line begins. A
line has no recorder's time: the mapping says which of its fields is the time.
"""

import io
from collections.abc import Iterator

from ingest.bags.container import Channel, Channels, Damage, Message
from ingest.mapping import LINES

MOST_BYTES = 1 << 20  # a LowState is 8 kB; a line beyond is no message, and would be memory
CHANNEL = Channel(LINES, "", "json")


def read_json_lines(file: io.BufferedReader, start: int, channels: Channels) -> Iterator[Message | Damage]:
    """All lines from a place on, but empty ones."""
    channels[0] = CHANNEL
    file.seek(start)
    place = start
    while line := file.readline(MOST_BYTES):
        if len(line) == MOST_BYTES and not line.endswith(b"\n"):
            yield Damage(place, f"a line of more than {MOST_BYTES} bytes")
            return
        if line.strip():
            yield Message(CHANNEL, 0, place, line)
        place += len(line)
