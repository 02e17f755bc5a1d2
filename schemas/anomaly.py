"""Anomaly: one transition of one episode, on `fleet.anomalies` (key: robot code), as a CloudEvent 1.0.

Written by the assessor; read by the lander, the notifier and alert consumers. `source` and `id` together are the
key to drop repeats by. In Kafka's binary binding the envelope travels as `ce_` headers and the value is the data
below as JSON; `episode_id` and the transition's number make the id, so a repeat is the same event.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from schemas.errors import RejectError
from schemas.health import Status

ANOMALY_VERSION = 1
SOURCE = "/robovitals/assess"
EVENT_TYPE = "robovitals.anomaly"


class Transition(StrEnum):
    """What happened to the episode."""

    OPENED = "opened"
    UPDATED = "updated"
    CLEARED = "cleared"


class Anomaly(msgspec.Struct, frozen=True, kw_only=True):
    """One transition. `component` is a path (`joint/3`), `rule` and `rule_version` name what found it.

    `first_us` is the event time of the first sign and `last_us` of this one; `count` the windows and crossings
    that showed it. `value`, `limit` in `unit`; None where the rule has none (a silent robot). `live` is false when
    the frames behind it came late from a spool. `number` counts the transitions of the episode from 1.
    """

    v: int
    robot_id: str
    episode_id: str
    episode: int
    number: int
    transition: Transition
    rule: str
    rule_version: int
    component: str
    signal: str
    status: Status
    value: float | None
    unit: str
    limit: float | None
    first_us: int
    last_us: int
    count: int
    live: bool
    software: str
    scenario: str
    text: str

    @property
    def id(self) -> str:
        """The CloudEvents id: unique within SOURCE, the same for a repeat."""
        return f"{self.episode_id}/{self.number}"


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Anomaly)


def encode_anomaly(anomaly: Anomaly) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The record's value and its CloudEvents headers (Kafka protocol binding 1.0, binary mode)."""
    seconds, micros = divmod(anomaly.last_us, 1_000_000)
    headers = {
        "ce_specversion": "1.0",
        "ce_type": f"{EVENT_TYPE}.{anomaly.transition}",
        "ce_source": SOURCE,
        "ce_id": anomaly.id,
        "ce_subject": anomaly.robot_id,
        "ce_time": f"{_rfc3339(seconds)}.{micros:06d}Z",
        "content-type": "application/json",
    }
    return _encoder.encode(anomaly), [(name, text.encode()) for name, text in headers.items()]


def decode_anomaly(value: bytes) -> Anomaly:
    """Read one. Raises RejectError."""
    try:
        anomaly = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectError("undecodable", str(error)[:200]) from None
    if anomaly.v != ANOMALY_VERSION:
        raise RejectError("future_version", f"version {anomaly.v}; this program reads {ANOMALY_VERSION}")
    return anomaly


def _rfc3339(seconds: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
