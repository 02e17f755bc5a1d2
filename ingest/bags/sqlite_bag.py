"""rosbag2's SQLite storage (.db3), read in the order in which it was written.

In: an open file, of which only the name is used. Out: messages and damage, as `ingest/bags/container.py` says; a
place is a row's id. `metadata.yaml` beside it is not needed. A database that is damaged ends where it is.
"""

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import zstandard

from ingest.bags.container import ZSTD_MAGIC, Channel, Channels, Damage, Message
from schemas.errors import SettingError

DEFINITIONS = "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions"
TOPICS = "SELECT id, name, type, serialization_format FROM topics"
MESSAGES = "SELECT id, topic_id, timestamp, data FROM messages WHERE id >= ? ORDER BY id"


def read_sqlite_bag(file: io.BufferedReader, start: int, channels: Channels) -> Iterator[Message | Damage]:
    """All messages from a row on. Raises SettingError where it is another database."""
    path = Path(file.name).absolute()
    # What a recorder that was killed had not yet moved into the file is in its -wal, which "immutable" leaves out.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True)
    row = start
    try:
        channels.update(_channels(connection, path))
        for row, topic, timestamp_ns, data in connection.execute(MESSAGES, (start,)):
            if channel := channels.get(topic):
                # "message" compression: each by itself. The first byte of CDR is 0, so it cannot be mistaken.
                data = _unpack(data) if data[:4] == ZSTD_MAGIC else data
                yield Message(channel, timestamp_ns // 1000, row, data)
    except (sqlite3.Error, zstandard.ZstdError) as error:
        yield Damage(row, f"the database is damaged after this row ({error})")
    finally:
        connection.close()


def _channels(connection: sqlite3.Connection, path: Path) -> Channels:
    """Recordings before Iron have no definitions; those of ROS's own messages are known without."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"topics", "messages"} <= tables:
        raise SettingError(f"{path}: a database, but no rosbag2: it has no tables topics and messages")
    definitions: dict[str, tuple[str, str]] = {}
    if "message_definitions" in tables:
        definitions = {name: (form, text) for name, form, text in connection.execute(DEFINITIONS)}
    found: Channels = {}
    for topic, name, kind, encoding in connection.execute(TOPICS):
        form, text = definitions.get(kind, ("", ""))
        found[topic] = Channel(name, kind, encoding, text, form)
    return found


def _unpack(data: bytes) -> bytes:
    return bytes(zstandard.ZstdDecompressor().decompress(data))
