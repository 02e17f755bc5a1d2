"""Anomalies for tests of what is told: everything chosen so as not to matter, unless a test says otherwise."""

from typing import Any

import msgspec

from processors.notify.receivers import (
    Alertmanager,
    Email,
    Kind,
    Pace,
    PagerDuty,
    Reach,
    Receiver,
    Secret,
    Security,
    Webhook,
)
from schemas.anomaly import AlarmState, Anomaly, Transition, about_of
from schemas.health import Status
from schemas.robot_code import make_code

NOW_US = 1_790_000_000_000_000
CODE = make_code("ZZ", "TEST", "MODEL1", "7")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
OPEN_REACH = Reach(allow_private=True, allow_http=True)


def anomaly(
    transition: Transition = Transition.OPENED, number: int = 1, code: str = CODE, **changes: Any
) -> Anomaly:
    """A joint that is too hot. After its end, or what people do, its state follows unless it is given."""
    states = {
        Transition.CLEARED: AlarmState.UNACKNOWLEDGED_CLEARED,
        Transition.ACKNOWLEDGED: AlarmState.ACKNOWLEDGED_ACTIVE,
        Transition.SHELVED: AlarmState.SHELVED,
        Transition.OUT_OF_SERVICE: AlarmState.OUT_OF_SERVICE,
    }
    usual: dict[str, Any] = {
        "v": 1, "robot_id": code, "episode_id": f"ep-{code[-4:]}", "episode": 1, "rule": "limit", "rule_version": 1,
        "component": "joint/3", "signal": "joint_temperature_c", "status": Status.FAILURE, "value": 95.0,
        "unit": "°C", "limit": 90.0, "first_us": NOW_US - 5_000_000, "last_us": NOW_US, "count": 3, "live": True,
        "software": "2.1", "scenario": "factory_line", "text": "Joint 3 temperature is 95 °C, above 90 °C.",
        "state": states.get(transition, AlarmState.UNACKNOWLEDGED_ACTIVE),
        "active": transition not in (Transition.CLEARED, Transition.RETIRED),
        "cause": f"limit|joint_temperature_c|above|{code[:12]}|2.1",
    }  # fmt: skip
    given = {**usual, **changes, "transition": transition, "number": number}
    given.setdefault("about", about_of(given["rule"]))
    return Anomaly(**given)


def adopted(number: int, parent: str = "parent", **changes: Any) -> Anomaly:
    return anomaly(Transition.ADOPTED, number, parent=parent, **changes)


def webhook(name: str = "hook", url: str = "http://127.0.0.1:9/hook", **changes: Any) -> Webhook:
    usual: dict[str, Any] = {
        "name": name, "url": Secret(url), "secrets": (Secret(SECRET),), "reach": OPEN_REACH, "pace": Pace(),
        **changes,
    }  # fmt: skip
    return Webhook(**usual)


def pagerduty(name: str = "duty", url: str = "http://127.0.0.1:9/duty", **changes: Any) -> PagerDuty:
    usual: dict[str, Any] = {
        "name": name, "url": Secret(url), "routing_key": Secret("k" * 32), "reach": OPEN_REACH, "pace": Pace(),
        **changes,
    }  # fmt: skip
    return PagerDuty(**usual)


def alertmanager(name: str = "manager", url: str = "http://127.0.0.1:9", **changes: Any) -> Alertmanager:
    usual: dict[str, Any] = {
        "name": name, "url": Secret(url), "token": Secret(""), "resolve_after_s": 300.0, "reach": OPEN_REACH,
        "pace": Pace(),
        **changes,
    }  # fmt: skip
    return Alertmanager(**usual)


def email(name: str = "mail", host: str = "127.0.0.1", port: int = 25, **changes: Any) -> Email:
    usual: dict[str, Any] = {
        "name": name, "host": host, "port": port, "security": Security.NONE, "user": "", "password": Secret(""),
        "sender": "robots@example.org", "to": ("ada@example.org",), "reach": OPEN_REACH, "pace": Pace(),
        **changes,
    }  # fmt: skip
    return Email(**usual)


def receiver(kind: Kind) -> Receiver:
    return {
        Kind.WEBHOOK: webhook, Kind.PAGERDUTY: pagerduty, Kind.ALERTMANAGER: alertmanager, Kind.EMAIL: email,
    }[kind]()  # fmt: skip


def changed(of: Anomaly, **changes: Any) -> Anomaly:
    return msgspec.structs.replace(of, **changes)
