"""Health: what travels on `fleet.health` (compacted, key: robot code), and the words it uses.

Written by the assessor, read by the lander and whoever shows it. Status words are NAMUR NE 107's; their order of
severity is ours and explicit, since the numbers that OPC UA gives them are not ordered. UNKNOWN is a state of the
data: silence never resolves anything and never counts as healthy.
"""

from enum import StrEnum

import msgspec

from schemas.errors import RejectError

HEALTH_VERSION = 1
NO_VALUE_US = 0


class Status(StrEnum):
    """NE 107, from best to worst in `SEVERITY`."""

    NORMAL = "NORMAL"
    UNKNOWN = "UNKNOWN"
    MAINTENANCE_REQUIRED = "MAINTENANCE_REQUIRED"
    OFF_SPEC = "OFF_SPEC"
    CHECK_FUNCTION = "CHECK_FUNCTION"
    FAILURE = "FAILURE"


SEVERITY: dict[Status, int] = {status: rank for rank, status in enumerate(Status)}


class Zone(StrEnum):
    """A (as new) to D (damage): the letters of ISO 20816, not its numbers. Empty: the data cannot tell."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    NONE = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Why a component has its status: one open episode in a technician's words, with its numbers.

    `value`, `limit` and `baseline` (what the value was compared with) in `unit`, None where the rule has none.
    `since_us` is the event time of the first sign, `last_us` of the latest (-1: not told). `confidence` 0..1.
    """

    rule: str
    signal: str
    value: float | None
    unit: str
    limit: float | None
    since_us: int
    text: str
    last_us: int = -1
    side: str = ""
    baseline: float | None = None
    confidence: float | None = None
    rule_version: int = 0
    episode_id: str = ""


class RemainingLife(msgspec.Struct, frozen=True, kw_only=True):
    """How long until the first of a component's wearing signals reaches its alarm limit; an estimate.

    `days` with an 80 % interval from `low` to `high`, as of the day before the judgement. `high` None: no end in
    sight. `days` None: longer than `low`; and with no `low` either, the data cannot tell (unknown).
    """

    signal: str
    days: float | None
    low: float | None
    high: float | None
    limit: float | None
    text: str


class ComponentHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One component (`joint/3`, `battery`, `accuracy`, `robot`): status, zone, evidence worst first.

    `remaining_life` None: nothing of it is known to wear. `last_value_us`: the event time of its last value where
    that was not in the robot's last window, NO_VALUE_US where none is known; -1: as new as its last frame.
    """

    component: str
    status: Status
    zone: Zone
    evidence: list[Evidence] = []
    remaining_life: RemainingLife | None = None
    last_value_us: int = -1


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """One robot. `time_us` is the event time of the judgement, `last_seen_us` the robot's last event time and
    `received_us` when the broker had it: the data's age is measured from there. Components worst first.
    While a robot is silent its status is at least UNKNOWN, and what was wrong before stays wrong.
    """

    v: int
    robot_id: str
    time_us: int
    last_seen_us: int
    received_us: int
    status: Status
    zone: Zone
    mode: str
    software: str
    scenario: str
    components: list[ComponentHealth]
    open_episodes: int


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Health)


def encode_health(health: Health) -> bytes:
    """JSON: people and programs outside read this topic."""
    return _encoder.encode(health)


def decode_health(value: bytes) -> Health:
    """Read one. Raises RejectError."""
    try:
        health = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectError("undecodable", str(error)[:200]) from None
    if health.v != HEALTH_VERSION:
        raise RejectError("future_version", f"version {health.v}; this program reads {HEALTH_VERSION}")
    return health
