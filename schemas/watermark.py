"""The watermark of a partition: how far event time has come.

In: the event times and broker times of records in the order of the partition. Out: the watermark before and
after each of them. It is the running maximum of event times, leaves out clocks too far ahead of the broker,
never goes back, and does not depend on how records fell into batches. Called by the summariser.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.columns import Int64

NO_WATERMARK = -1  # no frame has been seen; event times are never negative


def ahead_of_broker(time_us: Int64, received_us: Int64, tolerance_us: int) -> NDArray[np.bool_]:
    """Which event times lie more than `tolerance_us` after the broker's time stamp: clocks not to be trusted."""
    return time_us > received_us + tolerance_us


def running_watermark(before_us: int, time_us: Int64, trusted: NDArray[np.bool_]) -> Int64:
    """The watermark after each record, given the one before the first. Untrusted times do not move it."""
    counted = np.where(trusted, time_us, NO_WATERMARK)
    return np.maximum.accumulate(np.concatenate([[before_us], counted]))[1:]


class Resume(msgspec.Struct, frozen=True):
    """What rides in the metadata of a committed offset, so that a restart decides as the first run did.

    `before_us`: the watermark before the record at the offset. `closed_us`: up to this watermark windows have been
    emitted. `read_to`: records below this offset had been read by then, and what followed from them was sent.
    `window_us`, `grace_us`, `tolerance_us`, `spread_us`: the rule by which all this was so.
    """

    before_us: int
    closed_us: int
    read_to: int
    window_us: int
    grace_us: int
    tolerance_us: int
    spread_us: int = 0

    @property
    def ended_us(self) -> int:
        """Windows that end by this event time have been emitted, of every shard."""
        return self.closed_us - self.grace_us - self.spread_us


def to_metadata(resume: Resume) -> str:
    """The text that rides in a committed offset's metadata (Kafka allows 4096 bytes)."""
    return msgspec.json.encode(resume).decode()


def from_metadata(metadata: str) -> Resume | None:
    """Read it back; a commit that was not ours has none."""
    try:
        return msgspec.json.decode(metadata, type=Resume)
    except msgspec.DecodeError:
        return None
