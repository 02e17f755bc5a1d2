"""What a file of messages is to the rest of the program, whatever its format.

In: a path. Out: its messages one after another, each with its channel and its place in the file; what is damaged
comes as a `Damage` between them. Called by `ingest/bags/survey.py` and `ingest/bags/message_rows.py`.

Files are read from front to end and their indexes are not needed: so a recording that was cut short is read as far
as it goes, memory is that of one chunk, and an import can go on at a place. A reader of one format is a generator
`(file, start, channels)`: it fills `channels` as it meets them, and whoever starts in the middle passes those that
a survey has found.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import SettingError

MCAP_MAGIC = b"\x89MCAP0\r\n"
ROS1_MAGIC = b"#ROSBAG V"
SQLITE_MAGIC = b"SQLite format 3\0"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class Channel:
    """Messages of one topic. `encoding`: cdr, ros1 or json, or another that is not read. `definition`: of its type,
    in `form` (ros2msg, ros2idl or ros1msg); empty where the file has none.
    """

    topic: str
    type: str
    encoding: str
    definition: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """`log_us`: when the recorder took it, UTC. `place`: where reading can begin so that it comes again."""

    channel: Channel
    log_us: int
    place: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """What could not be read at `place`, a byte of the file (a row of a rosbag2 database)."""

    place: int
    reason: str


Channels = dict[int, Channel]


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is read. `by_rows`: its places are rows, not bytes."""

    read: Callable[[io.BufferedReader, int, Channels], Iterator[Message | Damage]]
    by_rows: bool = False


class MessageFile:
    """One file, of whatever format. Raises SettingError where it is none of those that are read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.bytes = path.stat().st_size
            with path.open("rb") as file:
                self._format = _format_of(path, file.read(16))
        except OSError as error:
            raise SettingError(f"{path}: {error.strerror}") from None

        self._done = 0

    def advance(self, message: Message) -> int:
        """How many bytes of the file have been read since the message before, about."""
        if self._format.by_rows:
            return len(message.data)
        read, self._done = message.place - self._done, message.place
        return max(read, 0)

    def skip(self, place: int) -> int:
        """How many bytes are not read where reading begins at a place."""
        self._done = 0 if self._format.by_rows else place
        return self._done

    def messages(self, channels: Channels, start: int = 0) -> Iterator[Message | Damage]:
        """From `start`, which is 0 or the place of a message, to the end or as far as the file can be read."""
        with self.path.open("rb") as file:
            yield from self._format.read(file, start, channels)


def _format_of(path: Path, magic: bytes) -> Format:
    """Only the module of this format is imported: JSON lines need no ROS libraries."""
    if magic.startswith(MCAP_MAGIC):
        from ingest.bags.mcap_file import read_mcap

        return Format(read_mcap)
    if magic.startswith(ROS1_MAGIC):
        from ingest.bags.ros1_bag import read_ros1_bag

        return Format(read_ros1_bag)
    if magic.startswith(SQLITE_MAGIC):
        from ingest.bags.sqlite_bag import read_sqlite_bag

        return Format(read_sqlite_bag, by_rows=True)
    if magic.lstrip()[:1] == b"{":
        from ingest.bags.json_lines import read_json_lines

        return Format(read_json_lines)
    if magic.startswith(ZSTD_MAGIC):
        raise SettingError(f"{path}: is compressed as a whole file: unpack it first (`zstd -d {path.name}`)")
    raise SettingError(
        f"{path}: is no MCAP, no ROS bag and no file of JSON lines: its first bytes are {magic[:8]!r}"
    )
