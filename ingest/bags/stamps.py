"""The event time of a message, in UTC µs, as the mapping's `time` table says.

In: the table; then a decoded message and the recorder's time. Out: µs, or ValueError with the reason. Called by
`ingest/bags/message_rows.py` and `ingest/bags/survey.py`. Pure.
"""

from collections.abc import Callable
from typing import Any

from ingest.bags.paths import reader_of
from ingest.timestamps import Time

# ROS 2's names of a stamp's parts, which rosbags also gives ROS 1's; JSON of ROS 1 keeps its own.
SECONDS, NANOSECONDS = ("sec", "secs"), ("nanosec", "nsecs", "nsec")


def stamp_reader(time: Time) -> Callable[[Any, int], int]:
    """A function from (message, recorder's µs) to the event's µs."""
    if time.stamp == "log":
        return lambda _, log_us: log_us
    if time.stamp == "header":
        return _header_us
    field, read = reader_of(time.column), time.reader()

    def column_us(message: Any, _: int) -> int:
        value = field(message)
        if value is None:
            raise ValueError(f"there is no {time.column}, which is its time")
        return read(str(value))

    return column_us


def _header_us(message: Any, log_us: int) -> int:
    """A stamp of 0 is one that nobody set."""
    stamp = _part(_part(message, ("header",)), ("stamp",))
    seconds = _part(stamp, SECONDS)
    if not seconds:
        return log_us
    return int(seconds) * 1_000_000 + int(_part(stamp, NANOSECONDS) or 0) // 1000


def _part(value: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        found = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        if found is not None:
            return found
    return None
