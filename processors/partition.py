"""One Kafka partition of frames: records in, messages for the same partition of `telemetry.vitals` out.

Called by `processors/summarise.py`, which reads, sends and commits. Pure: decode, screen, windows, crossings.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from processors import crossings, windows
from processors.crossings import Crossings
from processors.windows import Rule, Windows
from schemas.columns import FrameColumns, Record, decode_records
from schemas.keyring import Keyring
from schemas.limits import Limits
from schemas.robot_code import CODE_LENGTH
from schemas.screen import screen_group
from schemas.topics import shard_key, shard_of
from schemas.vitals import (
    LATE_REASONS,
    VITALS_VERSION,
    WINDOW_KINDS,
    Acted,
    Crossing,
    Message,
    Pulse,
    Vitals,
    encode_vitals,
)
from schemas.watermark import Resume


@dataclass(frozen=True, slots=True)
class Summary:
    """Messages to send, and what is counted: frames read, records that no frame could be made of, crossings, frames
    left out by reason, robots' windows by kind.
    """

    messages: list[Message] = field(default_factory=list)
    frames: int = 0
    undecodable: int = 0
    crossings: int = 0
    late: Counter[str] = field(default_factory=Counter)
    windows: Counter[str] = field(default_factory=Counter)


class Partition:
    """The state of one assigned partition. `keyring`: what frames are verified with; None: they are not."""

    def __init__(
        self,
        rule: Rule,
        limits: Limits,
        partition: int,
        offset: int,
        resume: Resume | None,
        keyring: Keyring | None = None,
    ) -> None:
        self.number = partition
        self._keyring = keyring
        self._grace_us = rule.grace_us + rule.spread_us
        self._windows = Windows.resumed(rule, partition, offset, resume)
        self._crossings = Crossings(limits)

    @property
    def offset(self) -> int:
        """The next offset to read."""
        return self._windows.offset

    @property
    def watermark_us(self) -> int:
        return self._windows.watermark_us

    @property
    def open_windows(self) -> int:
        return self._windows.open_windows

    @property
    def rereading(self) -> int:
        """How many records are left that were read before a restart and are read again."""
        return max(0, self._windows.fresh_from - self._windows.offset)

    @property
    def robots(self) -> int:
        return self._windows.sources.robots

    def take(self, records: Sequence[Record]) -> Summary:
        """Take records up, in order. What cannot be used is passed over, as the lander rejects it."""
        refused = {} if self._keyring is None else self._keyring.check(records).refused
        columns, rejected = decode_records(records, refused)
        columns = screened(columns)
        step = windows.step(self._windows, columns)
        self._windows.offset = records[-1].offset + 1
        crossed = crossings.step(self._crossings, columns, step.live, step.fresh)
        late = np.bincount(step.reason[~step.live & step.fresh], minlength=len(LATE_REASONS)).tolist()
        told: list[tuple[int, Message]] = [*crossed, *zip(step.closing, step.vitals, strict=True)]
        return Summary(
            # In the order of the frames that brought them about, and so however these fell into batches: what the
            # assessor makes of a crossing depends on the windows before it.
            [*(message for _, message in sorted(told, key=lambda pair: pair[0])), *step.lates],
            len(columns),
            len(rejected),
            len(crossed),
            Counter(dict(zip(LATE_REASONS, late, strict=True))),
            _counted(step.vitals),
        )

    def quiet(self) -> Summary:
        """What is open on a partition that has gone quiet."""
        vitals = windows.provisional(self._windows)
        return Summary([*vitals], windows=_counted(vitals))

    def pulse(self, now_us: int) -> Pulse:
        """All frames up to `now_us` by the wall clock have been read; what the grace may still hide is left out."""
        told_us = now_us - self._grace_us
        return Pulse(v=VITALS_VERSION, partition=self.number, now_us=told_us, watermark_us=self.watermark_us)

    def checkpoint(self) -> tuple[int, Resume]:
        """The offset to commit once everything said so far has been acknowledged, and what rides with it."""
        return self._windows.checkpoint()


def screened(columns: FrameColumns) -> FrameColumns:
    """Without impossible values, as the lander stores them."""
    return replace(columns, groups=[screen_group(group)[0] for group in columns.groups])


def record_of(partition: int, message: Message) -> tuple[bytes | None, bytes]:
    """Key and value of a message. What concerns a whole partition has no key."""
    shard = None
    if isinstance(message, Vitals):
        shard = message.shard
    elif isinstance(message, Crossing):
        shard = shard_of(message.robot_id)
    elif isinstance(message, Acted):
        shard = shard_of(message.action.robot_id)
    return None if shard is None else shard_key(partition, shard), encode_vitals(message)


def _counted(vitals: list[Vitals]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for message in vitals:
        counts[WINDOW_KINDS[message.kind]] += len(message.robot_id) // CODE_LENGTH
    return counts
