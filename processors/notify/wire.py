"""What a message is before it goes out, and the words that all kinds share.

In: deliveries that are told together. Out: `Event`s and, of the files that build on it (`webhook.py`,
`pagerduty.py`, `alertmanager.py`, `mail.py`), what is sent. Pure.
"""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import msgspec

from schemas.anomaly import EVENT_TYPE, Anomaly, decode_anomaly
from schemas.health import Status
from schemas.robot_code import format_code, is_code

TEST_WORDS = "TEST, please ignore"

SEVERITIES = ("critical", "error", "warning", "info")
"""The words that PagerDuty and Prometheus' users have for how bad something is."""
_SEVERITY_OF = {
    Status.FAILURE: "critical",
    Status.CHECK_FUNCTION: "error",
    Status.OFF_SPEC: "error",
    Status.MAINTENANCE_REQUIRED: "warning",
    Status.UNKNOWN: "warning",
    Status.NORMAL: "info",
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it is sent. `id`: the delivery's; `test`: nothing has happened."""

    id: str
    anomaly: Anomaly
    test: bool = False

    @property
    def type(self) -> str:
        return f"{EVENT_TYPE}.{self.anomaly.transition}"

    @property
    def severity(self) -> str:
        return "info" if self.test else _SEVERITY_OF[self.anomaly.status]

    @property
    def sentence(self) -> str:
        return f"{TEST_WORDS}: {self.anomaly.text}" if self.test else self.anomaly.text


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """What an Alertmanager (API v2 at `url`) is to keep quiet about: an episode, until then; None: not any more."""

    url: str
    episode: str
    until_us: int | None
    by: str
    why: str


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request. Its headers and body may hold secrets. `silence`: to be settled once it is taken."""

    url: str
    headers: dict[str, str]
    body: bytes
    silence: Silence | None = None


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    message: EmailMessage


Outgoing = Post | Mail


def event_of(delivery_id: str, value: bytes, test: bool) -> Event:
    """From the bytes that are stored. Raises RejectError."""
    return Event(id=delivery_id, anomaly=decode_anomaly(value), test=test)


def happened_us(anomaly: Anomaly) -> int:
    """When the transition was: when somebody acted, or the event time of its last sign."""
    return anomaly.last_us if anomaly.acted_us < 0 else anomaly.acted_us


def rfc3339(time_us: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond:06d}Z"


def robot_words(anomaly: Anomaly) -> str:
    """For people: the code with hyphens between its segments."""
    from_code = anomaly.robot_id
    return format_code(from_code) if is_code(from_code) else from_code  # type: ignore[arg-type]


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
