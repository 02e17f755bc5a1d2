"""The windows before a fleet's first frames: what makes it known to an assessor, as every fleet is but once.

In: a fleet. Out: messages of `telemetry.vitals`, made by the summariser's own code. Pure. Called by `alone.py`,
which has them assessed. An assessor that meets robots for the first time takes several times as long, and has a
message to send for each: that is another figure, not to be mistaken for what a fleet takes day by day.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from aiokafka.partitioner import DefaultPartitioner

from deploy.bench.fleet import Fleet
from deploy.bench.raw import Record
from processors.partition import Partition, record_of
from processors.windows import Rule
from schemas.frame import encode_frame
from schemas.limits import Limits
from schemas.robot_code import CODE_LENGTH
from schemas.vitals import FINAL, Vitals

FOLLOWING = 2
"""So many windows of each robot come after its first, and before its first frame."""
RECEIVED_LATER_MS = 10_000  # no clock is ahead


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of the topic."""

    partition: int
    key: bytes | None
    vitals: Vitals

    @property
    def value(self) -> bytes:
        return record_of(self.partition, self.vitals)[1]

    @property
    def windows(self) -> int:
        return len(self.vitals.robot_id) // CODE_LENGTH


def windows_before(fleet: Fleet, window_us: int, partitions: int) -> list[Sent]:
    """Of each robot one window, FOLLOWING + 1 windows before the one of its first frame."""
    start_us = (fleet.start_us // window_us - FOLLOWING - 1) * window_us
    places, choose = list(range(partitions)), DefaultPartitioner()
    records: list[list[Record]] = [[] for _ in places]
    for number in range(fleet.robots):
        frame = msgspec.structs.replace(fleet.frame(number), time_us=start_us + number)
        key = frame.robot_id.encode()
        place = records[choose(key, places, places)]
        place.append(Record(key, encode_frame(frame), len(place), start_us // 1000 + RECEIVED_LATER_MS, 0))
    return [sent for place in places if records[place] for sent in _windows(place, records[place], window_us)]


def _windows(number: int, records: Sequence[Record], window_us: int) -> list[Sent]:
    partition = Partition(Rule(window_us, 0, 0), Limits(), number, 0, None)
    partition.take(records)
    found: list[Sent] = []
    for message in partition.quiet().messages:
        assert isinstance(message, Vitals)
        message.kind = FINAL
        found.append(Sent(number, record_of(number, message)[0], message))
    return found


def following(sent: Sent, number: int) -> Sent:
    """The same window of the same robots, `number` windows later."""
    later_us = number * sent.vitals.length_us
    frames = np.frombuffer(sent.vitals.frames, "<i4").astype("<i8")
    columns = {
        name: (np.frombuffer(getattr(sent.vitals, name), "<i8") + by).tobytes()
        for names, by in ((("last_time_us", "received_us"), later_us), (("first_seq", "last_seq"), number * frames))
        for name in names
    }
    start_us = sent.vitals.start_us + later_us
    return Sent(sent.partition, sent.key, msgspec.structs.replace(sent.vitals, start_us=start_us, **columns))
