"""A batch: records of one topic and what is to be stored for them, in one transaction. Pure.

In: Kafka records in the order of their partitions, and for each partition the offset that is stored as landed.
Out: a `Batch` with its content by topic, its rejects and the offsets to move. Called by `ingest/land.py`; a
batch that the database refuses is halved until the record at fault stands alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, TypeVar

import numpy as np

from ingest.appending import Sent
from ingest.part_reports import PartPlace, Report, reports
from ingest.rows import ImpossibleReadings, Rows, frame_rows, vitals_rows
from ingest.sealed import Place, SealedRows, SecurityEvent, sealed_rows, security_events, with_replays
from schemas.action import Action, decode_action
from schemas.anomaly import Anomaly, decode_anomaly
from schemas.columns import Rejected, decode_records
from schemas.entry import decode_submission
from schemas.errors import RejectError
from schemas.frame import MAX_INTEGER
from schemas.health import Health, decode_health
from schemas.keyring import UNCHECKED, Keyring
from schemas.reject import REJECT_VERSION, Reject
from schemas.seal import HEADER
from schemas.topics import ACTIONS, ANOMALIES, FRAMES, HEALTH, LOGBOOK, VITALS
from schemas.vitals import Late, Vitals, decode_vitals

_NO_REPLAYS: Mapping[Place, str] = MappingProxyType({})
_NO_REFUSALS: Mapping[Place, RejectError] = MappingProxyType({})


class Record(Protocol):
    """What is needed of a Kafka record (aiokafka's ConsumerRecord has it). `timestamp` is in ms."""

    key: bytes | None
    value: bytes | None
    offset: int
    timestamp: int
    headers: Sequence[tuple[str, bytes]]
    partition: int


@dataclass(frozen=True, slots=True)
class FrameContent:
    """`first_time_us`: of each robot in the batch the event time of its first frame there. `live_time_us`: the
    middle event time of its live frames; -1: it has none. `sealed`: of the rows those with a good seal. `parts`:
    what the few frames tell that tell of parts.
    """

    rows: Rows
    impossible: ImpossibleReadings
    first_time_us: dict[bytes, int]
    live_time_us: int
    sealed: SealedRows | None = None
    events: list[SecurityEvent] = field(default_factory=list)
    parts: dict[PartPlace, list[Report]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VitalsContent:
    """`windows`: of each message the start of its window and the codes of its robots, CODE_LENGTH bytes each."""

    rows: Rows
    late: list[Late]
    windows: list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class HealthContent:
    healths: list[Health]


@dataclass(frozen=True, slots=True)
class AnomalyContent:
    anomalies: list[Anomaly]


@dataclass(frozen=True, slots=True)
class ActionContent:
    actions: list[Action]


@dataclass(frozen=True, slots=True)
class LogbookContent:
    """Entries that can be read. Whether they may be appended shows in the transaction."""

    sent: list[Sent]


Rowed = FrameContent | VitalsContent | HealthContent | AnomalyContent | ActionContent
"""What becomes rows as it is."""
Content = Rowed | LogbookContent


@dataclass(frozen=True, slots=True)
class Span:
    """The records of one partition: landed are all before `first`, and after this batch all before `next`.
    `last_ms` is the broker's time stamp of the last of them.
    """

    first: int
    next: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Batch:
    """`spans` by partition; `rejects` in the order of the records; `replays` are known to be copies of rows that
    landed long ago, with what is told of each; `refusals` are entries that their logbooks do not take.
    """

    topic: str
    records: Sequence[Record]
    spans: dict[int, Span]
    content: Content
    rejects: list[Reject] = field(default_factory=list)
    keyring: Keyring | None = None
    replays: Mapping[Place, str] = field(default_factory=dict)
    refusals: Mapping[Place, RejectError] = field(default_factory=dict)

    @property
    def oldest_ms(self) -> int:
        """The broker's earliest time stamp among the records."""
        return min(record.timestamp for record in self.records)

    def halves(self) -> tuple["Batch", "Batch"]:
        """Two batches that land the same records, the second after the first."""
        middle = len(self.records) // 2
        one = self._again(self.records[:middle], self._firsts)
        moved = self._firsts | {partition: span.next for partition, span in one.spans.items()}
        return one, self._again(self.records[middle:], moved)

    def with_replays(self, found: Mapping[Place, str]) -> "Batch":
        """The same records, with more of them known to be replays."""
        return self._again(self.records, self._firsts, replays=found)

    def with_refusals(self, found: Mapping[Place, RejectError]) -> "Batch":
        """The same records, with more of them known to be refused by their logbooks."""
        return self._again(self.records, self._firsts, refusals=found)

    @property
    def _firsts(self) -> dict[int, int]:
        return {partition: span.first for partition, span in self.spans.items()}

    def _again(
        self,
        records: Sequence[Record],
        firsts: dict[int, int],
        replays: Mapping[Place, str] = _NO_REPLAYS,
        refusals: Mapping[Place, RejectError] = _NO_REFUSALS,
    ) -> "Batch":
        return make_batch(
            self.topic, records, firsts, self.keyring, {**self.replays, **replays}, {**self.refusals, **refusals}
        )

    def refused(self, detail: str) -> "Batch":
        """The same with its one record as a reject: for what decodes and the database refuses all the same."""
        content, _ = _content(self.topic, [], None, {}, {})
        reject = _reject(self.topic, self.records[0], Rejected(0, "refused_by_database", detail))
        return Batch(self.topic, self.records, self.spans, content, [reject])


def make_batch(
    topic: str,
    records: Sequence[Record],
    first_offsets: dict[int, int],
    keyring: Keyring | None = None,
    replays: Mapping[Place, str] = _NO_REPLAYS,
    refusals: Mapping[Place, RejectError] = _NO_REFUSALS,
) -> Batch:
    """Verify, decode and encode. Offsets may have gaps, so a span starts where the last one ended."""
    content, rejected = _content(topic, records, keyring, replays, refusals)
    lasts = {record.partition: (record.offset + 1, record.timestamp) for record in records}
    spans = {partition: Span(first_offsets[partition], *last) for partition, last in lasts.items()}
    rejects = [_reject(topic, records[r.position], r) for r in rejected]
    return Batch(topic, records, spans, content, rejects, keyring, replays, refusals)


def _reject(topic: str, record: Record, rejected: Rejected) -> Reject:
    return Reject(
        v=REJECT_VERSION,
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        received_us=record.timestamp * 1000,
        reason=rejected.reason,
        detail=_storable(rejected.detail),
        key=record.key,
        value=record.value or b"",
        seal=next((value for name, value in record.headers if name == HEADER), None),
    )


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _content(
    topic: str,
    records: Sequence[Record],
    keyring: Keyring | None,
    replays: Mapping[Place, str],
    refusals: Mapping[Place, RejectError],
) -> tuple[Content, list[Rejected]]:
    if topic == FRAMES.name:
        return _frames(records, keyring, replays)
    return _logbooks(records, refusals) if topic == LOGBOOK.name else _CONTENT[topic](records)


def _frames(
    records: Sequence[Record], keyring: Keyring | None, replays: Mapping[Place, str]
) -> tuple[FrameContent, list[Rejected]]:
    checked = UNCHECKED if keyring is None else keyring.check(records)
    refused, noted = with_replays(checked, records, replays)
    columns, rejected = decode_records(records, refused)
    rows, impossible = frame_rows(columns)
    codes, times = columns.robot_id.tolist(), columns.time_us.tolist()
    # Later pairs win in a dictionary, so backwards the first frame of each robot does.
    first_time_us = dict(zip(codes[::-1], times[::-1], strict=True))
    live_us = columns.time_us[~columns.backfill]
    # The middle one: a few clocks that are years off say nothing about the pipeline.
    middle_us = int(np.median(live_us)) if len(live_us) else -1
    sealed, events = sealed_rows(columns, rejected, checked), security_events(records, refused, noted)
    content = FrameContent(rows, impossible, first_time_us, middle_us, sealed, events, reports(columns))
    return content, rejected


def _vitals(records: Sequence[Record]) -> tuple[VitalsContent, list[Rejected]]:
    messages, rejected = _decoded(records, _decode_vitals)
    windows = [message for message in messages if isinstance(message, Vitals)]
    late = [message for message in messages if isinstance(message, Late)]
    return VitalsContent(vitals_rows(windows), late, [(w.start_us, w.robot_id) for w in windows]), rejected


def _healths(records: Sequence[Record]) -> tuple[HealthContent, list[Rejected]]:
    healths, rejected = _decoded(records, _decode_health)
    return HealthContent(healths), rejected


def _anomalies(records: Sequence[Record]) -> tuple[AnomalyContent, list[Rejected]]:
    anomalies, rejected = _decoded(records, _decode_anomaly)
    return AnomalyContent(anomalies), rejected


def _actions(records: Sequence[Record]) -> tuple[ActionContent, list[Rejected]]:
    actions, rejected = _decoded(records, decode_action)
    return ActionContent(actions), rejected


def _logbooks(
    records: Sequence[Record], refusals: Mapping[Place, RejectError]
) -> tuple[LogbookContent, list[Rejected]]:
    sent: list[Sent] = []
    rejected: list[Rejected] = []
    for position, record in enumerate(records):
        place = record.partition, record.offset
        try:
            if place in refusals:
                raise refusals[place]
            sent.append(Sent(place, record.timestamp * 1000, decode_submission(record.value or b"")))
        except RejectError as error:
            rejected.append(Rejected(position, error.reason, error.detail))
    return LogbookContent(sent), rejected


_CONTENT: dict[str, Callable[[Sequence[Record]], tuple[Content, list[Rejected]]]] = {
    VITALS.name: _vitals,
    HEALTH.name: _healths,
    ANOMALIES.name: _anomalies,
    ACTIONS.name: _actions,
}
LANDED_TOPICS = (FRAMES.name, *_CONTENT, LOGBOOK.name)

_Message = TypeVar("_Message")


def _decoded(
    records: Sequence[Record], decode: Callable[[bytes], _Message]
) -> tuple[list[_Message], list[Rejected]]:
    messages: list[_Message] = []
    rejected: list[Rejected] = []
    for position, record in enumerate(records):
        try:
            messages.append(decode(record.value or b""))
        except RejectError as error:
            rejected.append(Rejected(position, error.reason, error.detail))
    return messages, rejected


def _decode_vitals(value: bytes) -> object:
    """Crossings and pulses are for the assessor: nothing is stored of them."""
    message = decode_vitals(value)
    if isinstance(message, Vitals):
        _check_integers(start_us=[message.start_us], length_us=[message.length_us])
    elif isinstance(message, Late):
        _check_integers(length_us=[message.length_us], start_us=message.start_us, offset=message.offset)
    return message


def _decode_health(value: bytes) -> Health:
    health = decode_health(value)
    _check_integers(time_us=[health.time_us], last_seen_us=[health.last_seen_us], received_us=[health.received_us])
    return health


def _decode_anomaly(value: bytes) -> Anomaly:
    anomaly = decode_anomaly(value)
    _check_integers(first_us=[anomaly.first_us], last_us=[anomaly.last_us])
    _check_integers(acted_us=[max(anomaly.acted_us, 0)], until_us=[max(anomaly.until_us, 0)])
    return anomaly


def _check_integers(**columns: list[int]) -> None:
    """Beyond this a time has no timestamptz. Frames are checked where they are decoded."""
    for name, values in columns.items():
        if not all(0 <= value <= MAX_INTEGER for value in values):
            raise RejectError("wrong_type", f"{name} is out of range")
