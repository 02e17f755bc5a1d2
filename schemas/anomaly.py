"""Anomaly: one transition of one episode, on `fleet.anomalies` (key: robot code), as a CloudEvent 1.0.

An episode of many robots at once has `fleet` in place of a code. Written by the assessor; read by the lander, the
notifier and alert consumers. `source` and `id` together are the key to drop repeats by. In Kafka's binary binding
the envelope travels as `ce_` headers and the value is the data below as JSON; `episode_id` and the transition's
number make the id, so a repeat is the same event.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec

from schemas.errors import RejectError
from schemas.health import Status

ANOMALY_VERSION = 1
SOURCE = "/robovitals/assess"
EVENT_TYPE = "robovitals.anomaly"

FLEET = "fleet"
"""In place of a robot's code and of a component, where an episode is about many robots."""


class Transition(StrEnum):
    """What happened to the episode. The first three come from its rule, the last ones from people, or from us."""

    OPENED = "opened"
    UPDATED = "updated"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"  # by a person, or because its time was over (no actor)
    COMMENTED = "commented"
    OUT_OF_SERVICE = "out_of_service"
    IN_SERVICE = "in_service"
    ADOPTED = "adopted"  # it got a parent, which speaks for it
    RELEASED = "released"  # it has no parent any more
    RETIRED = "retired"  # it ended, nobody acknowledged it, and its time on the list is over


class AlarmState(StrEnum):
    """What an operator has to do with an episode (ISA-18.2). The last two call nobody."""

    UNACKNOWLEDGED_ACTIVE = "unacknowledged_active"
    ACKNOWLEDGED_ACTIVE = "acknowledged_active"
    UNACKNOWLEDGED_CLEARED = "unacknowledged_cleared"
    NORMAL = "normal"
    SHELVED = "shelved"
    OUT_OF_SERVICE = "out_of_service"


class About(StrEnum):
    """What is the matter: the machine, the data that it sends, or many robots at once."""

    MACHINE = "machine"
    DATA = "data"
    FLEET = "fleet"


RULES_OF_PART = frozenset({"drift", "step", "peer", "pattern", "trend", "sensor"})
"""Rules that hold a component against its own past: another part has none yet."""
_RULES_ABOUT_DATA = frozenset({"clock", "silence", "sensor", "gap", "restart"})
_RULES_ABOUT_FLEET = frozenset({"fleet"})


def about_of(rule: str) -> About:
    """What a rule speaks of."""
    if rule in _RULES_ABOUT_DATA:
        return About.DATA
    return About.FLEET if rule in _RULES_ABOUT_FLEET else About.MACHINE


class Cause(NamedTuple):
    """What episodes of many robots may have in common. `model`: the code's first 12 characters, the maker's too."""

    rule: str
    signal: str
    side: str
    model: str
    software: str

    @property
    def text(self) -> str:
        """As an anomaly carries it. Software is a robot's own word, so it comes last, whatever is in it."""
        return "|".join(self)


def cause_of(text: str) -> Cause | None:
    """From an anomaly's text; None where it has none (a fleet's episode, or one told before there were causes)."""
    parts = text.split("|", 4)
    return Cause(*parts) if len(parts) == 5 else None


class Anomaly(msgspec.Struct, frozen=True, kw_only=True):
    """One transition. `component` is a path (`joint/3`), `rule` and `rule_version` name what found it.

    `first_us` is the event time of the first sign and `last_us` of this one; `count` the windows and crossings
    that showed it. `value`, `limit` in `unit`; None where the rule has none (a silent robot). `live` is false when
    the frames behind it came late from a spool. `number` counts the transitions of the episode from 1.

    `active`: its condition holds. `chattering`: it came and went so often that it is held open until it is quiet.
    `baseline` is what the value was compared with, in `unit`; `confidence` 0..1. `parent`: the episode that speaks
    for this one, empty without. `cause`: see `Cause`. Of a transition that a person or our clock brought about:
    `actor` (empty: our clock), `note`, `acted_us` when, else -1. `until_us`: shelved until then, else -1.
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
    about: About = About.MACHINE
    baseline: float | None = None
    confidence: float | None = None
    state: AlarmState = AlarmState.UNACKNOWLEDGED_ACTIVE
    active: bool = True
    chattering: bool = False
    parent: str = ""
    cause: str = ""
    actor: str = ""
    note: str = ""
    acted_us: int = -1
    until_us: int = -1

    @property
    def id(self) -> str:
        """The CloudEvents id: unique within SOURCE, the same for a repeat."""
        return f"{self.episode_id}/{self.number}"

    @property
    def is_muted(self) -> bool:
        """Nobody is to be called for it: somebody said so, or its parent speaks for it."""
        return bool(self.parent) or self.state in (AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Anomaly)


def encode_anomaly(anomaly: Anomaly) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The record's value and its CloudEvents headers (Kafka protocol binding 1.0, binary mode)."""
    time_us = anomaly.last_us if anomaly.acted_us < 0 else anomaly.acted_us
    seconds, micros = divmod(time_us, 1_000_000)
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
    return anomaly if anomaly.about is not About.MACHINE or anomaly.cause else _told_before_states(anomaly)


def _told_before_states(anomaly: Anomaly) -> Anomaly:
    """What a program wrote that knew no states: they follow from its rule and transition."""
    active = anomaly.transition is not Transition.CLEARED
    state = AlarmState.UNACKNOWLEDGED_ACTIVE if active else AlarmState.UNACKNOWLEDGED_CLEARED
    return msgspec.structs.replace(anomaly, about=about_of(anomaly.rule), active=active, state=state)


def _rfc3339(seconds: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
