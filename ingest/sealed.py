"""What seals say about a batch of frames: what is refused, who claimed to be whom, which copies are replays. Pure.

In: a batch's records, what `schemas/keyring.py` says of them, and its decoded columns. Out: faults by position,
security events, and what `ingest/landing.py` needs to know a replay when the database finds a row there already.
Called by `ingest/batch.py`.

A replay is a record whose frame is a row already, whose seal was made before that row was received, and which came
more than REPLAY_AFTER_US after it. That is nobody's retry: the agent seals each attempt anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol

import numpy as np
from msgspec.structs import replace

from schemas.columns import Codes, FrameColumns, Int64, Rejected
from schemas.errors import RejectError
from schemas.frame import SEAL_REASONS
from schemas.keyring import Checked
from schemas.reject import Reject
from schemas.robot_code import CODE_LENGTH, is_code
from schemas.seal import SEAL_BYTES

REPLAY_AFTER_US = 600_000_000
MOST_KEPT = 1000
"""Rejects of a day, a claimed robot, a fault of its seal and a partition that are kept; the others are only
counted, or whoever may send would fill the disk. A robot at 1 Hz with a wrong key sends so many in 17 minutes."""
MOST_KEPT_BYTES = 16 * 1024
"""Of each. A frame of a humanoid has 700 bytes, and 3 kB as JSON."""
UNKNOWN = "unknown"
"""In place of what is no robot's code at all."""

Place = tuple[int, int]
"""A record's partition and offset."""


class Record(Protocol):
    """What is needed of a Kafka record here. `timestamp` is in ms."""

    key: bytes | None
    offset: int
    timestamp: int
    partition: int


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """Records of one day that claimed to be one robot's, and what was wrong with their seals. `refused`: seals are
    required, so they are rejects; else they landed. `detail` is of the last.
    """

    day: date
    robot_id: str
    reason: str
    refused: bool
    partition: int
    records: int
    first_us: int
    last_us: int
    first_offset: int
    last_offset: int
    detail: str


@dataclass(frozen=True, slots=True)
class SealedRows:
    """The rows whose seals are good: which `position` each has in the batch, and the columns that tell a replay.
    `versions`: of each robot the key's version that it uses.
    """

    position: Int64
    robot_id: Codes
    time_us: Int64
    seq: Int64
    boot_id: Int64
    received_us: Int64
    sealed_us: Int64
    versions: dict[bytes, int]


@dataclass(frozen=True, slots=True)
class Stored:
    """A frame that is a row already, and when the broker had that one."""

    robot_id: str
    time_us: int
    seq: int
    boot_id: int
    received_us: int


def with_replays(
    checked: Checked, records: Sequence[Record], replays: Mapping[Place, str]
) -> tuple[dict[int, RejectError], dict[int, RejectError]]:
    """By position what is refused and what is only noted, known replays included."""
    if not replays:
        return checked.refused, checked.noted
    refused, noted = dict(checked.refused), dict(checked.noted)
    for position, required in zip(checked.good.tolist(), checked.required.tolist(), strict=True):
        detail = replays.get((records[position].partition, records[position].offset))
        if detail is not None:
            (refused if required else noted)[position] = RejectError("seal_replayed", detail)
    return refused, noted


def sealed_rows(columns: FrameColumns, rejected: Sequence[Rejected], checked: Checked) -> SealedRows | None:
    """Of the rows that a batch's columns have, those with a good seal. None: there is none."""
    kept = np.ones(len(columns) + len(rejected), np.bool_)
    kept[[reject.position for reject in rejected]] = False
    of = kept[checked.good]
    position = checked.good[of]
    if not len(position):
        return None
    row = (np.cumsum(kept) - 1)[position]
    robot_id = columns.robot_id[row]
    return SealedRows(
        position=position,
        robot_id=robot_id,
        time_us=columns.time_us[row],
        seq=columns.seq[row],
        boot_id=columns.boot_id[row],
        received_us=columns.received_us[row],
        sealed_us=checked.sealed_us[of],
        versions=dict(zip(robot_id.tolist(), checked.key_version[of].tolist(), strict=True)),
    )


def replayed(sealed: SealedRows, stored: Iterable[Stored], records: Sequence[Record]) -> dict[Place, str]:
    """Which records are replays of rows that are stored, by their places."""
    first_us = {(s.robot_id.encode(), s.time_us, s.seq, s.boot_id): s.received_us for s in stored}
    columns = (sealed.robot_id, sealed.time_us, sealed.seq, sealed.boot_id, sealed.position, sealed.received_us,
               sealed.sealed_us)  # fmt: skip
    found = {}
    for *frame, position, received_us, sealed_us in zip(*(column.tolist() for column in columns), strict=True):
        landed_us = first_us.get((frame[0], frame[1], frame[2], frame[3]))
        if landed_us is None or sealed_us > landed_us or received_us <= landed_us + REPLAY_AFTER_US:
            continue
        record, late_s = records[position], (received_us - landed_us) / 1e6
        found[record.partition, record.offset] = (
            f"sent again {late_s:.0f} s after it landed, with a seal from before"
        )
    return found


Group = tuple[date, str, str, int]
"""A day, the robot that is claimed or UNKNOWN, a reason and a partition: a line of refused records."""


def kept_rejects(rejects: Sequence[Reject], before: Mapping[Group, int]) -> list[Reject]:
    """All, but of those with a fault of their seal the first of each group only, and cut. `before`: how many
    records each group had that day. A robot whose group is not among them is UNKNOWN.
    """
    counts, kept = dict(before), []
    for reject in rejects:
        if reject.reason not in SEAL_REASONS:
            kept.append(reject)
            continue
        group = group_of(reject.received_us, reject.key, reject.reason, reject.partition)
        group = group if group in before else (group[0], UNKNOWN, *group[2:])
        count = counts[group] = counts.get(group, 0) + 1
        if count <= MOST_KEPT:
            kept.append(_cut(reject))
    return kept


def group_of(received_us: int, key: bytes | None, reason: str, partition: int) -> Group:
    code = (key or b"").decode("latin-1")
    day = datetime.fromtimestamp(received_us / 1e6, UTC).date()
    return day, code if is_code(code) else UNKNOWN, reason, partition


def _cut(reject: Reject) -> Reject:
    size = len(reject.value) + len(reject.key or b"") + len(reject.seal or b"")
    if size <= MOST_KEPT_BYTES:
        return reject
    return replace(
        reject,
        key=reject.key and reject.key[:CODE_LENGTH],
        value=reject.value[:MOST_KEPT_BYTES],
        seal=reject.seal and reject.seal[:SEAL_BYTES],
        detail=f"{reject.detail} (cut: the value has {len(reject.value)} bytes)",
    )


def security_events(records: Sequence[Record], refused: Mapping[int, RejectError], noted: Mapping[int, RejectError]
                    ) -> list[SecurityEvent]:  # fmt: skip
    """One for all records of a day, a claimed robot, a reason and a partition."""
    groups: dict[tuple[date, str, str, bool, int], list[int]] = defaultdict(list)
    for faults in (refused, noted):
        for position in sorted(faults):
            record, reason = records[position], faults[position].reason
            day, robot, _, partition = group_of(record.timestamp * 1000, record.key, reason, record.partition)
            groups[day, robot, reason, faults is refused, partition].append(position)
    return [
        SecurityEvent(
            day=day,
            robot_id=robot,
            reason=reason,
            refused=is_refused,
            partition=partition,
            records=len(positions),
            first_us=records[positions[0]].timestamp * 1000,
            last_us=records[positions[-1]].timestamp * 1000,
            first_offset=records[positions[0]].offset,
            last_offset=records[positions[-1]].offset,
            detail=(refused if is_refused else noted)[positions[-1]].detail,
        )
        for (day, robot, reason, is_refused, partition), positions in groups.items()
    ]
