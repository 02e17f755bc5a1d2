"""Alertmanager's API v2: an episode is an alert there, told by the label `episode`.

In: events and a time. Out: the request. Called by `processors/notify/outgoing.py`, and for what is sent again by
`processors/notify/resend.py`. Pure.

Alertmanager takes an alert for over when it has not been sent for a while: so what is active is sent again, each
time with an end that lies ahead. Its labels are its identity, and may not change while it is active; of an episode
only its severity can. So an update ends the other severities' alerts too. What people did is in annotations; what
they shelved is silenced, for as long as it is shelved.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from processors.notify.receivers import Alertmanager
from processors.notify.routing import maker_of, model_of
from processors.notify.wire import SEVERITIES, Event, Post, Silence, happened_us, rfc3339
from schemas.anomaly import Anomaly, Transition


def post(receiver: Alertmanager, events: Sequence[Event], now_us: int) -> Post:
    """What has happened."""
    made = _request(receiver, [alert for event in events for alert in _news(event, receiver, now_us)])
    return msgspec.structs.replace(made, silence=_silence(receiver, events[-1].anomaly, now_us))


def again(receiver: Alertmanager, events: Iterable[Event], now_us: int) -> Post:
    """What is still so: the last that was told of each episode."""
    return _request(receiver, [_current(event, receiver, now_us) for event in events])


def _request(receiver: Alertmanager, alerts: list[dict[str, Any]]) -> Post:
    headers = {"content-type": "application/json"}
    if token := receiver.token.reveal():
        headers["authorization"] = f"Bearer {token}"
    return Post(url=f"{_base(receiver)}/alerts", headers=headers, body=msgspec.json.encode(alerts))


def _base(receiver: Alertmanager) -> str:
    return f"{receiver.url.reveal().rstrip('/')}/api/v2"


def _silence(receiver: Alertmanager, anomaly: Anomaly, now_us: int) -> Silence | None:
    """None: this transition has nothing to do with shelves."""
    if anomaly.transition not in (Transition.SHELVED, Transition.UNSHELVED):
        return None
    shelved = anomaly.transition is Transition.SHELVED and anomaly.until_us > now_us
    return Silence(
        url=_base(receiver),
        episode=anomaly.episode_id,
        until_us=anomaly.until_us if shelved else None,
        by=anomaly.actor,
        why=anomaly.note,
    )


def _current(event: Event, receiver: Alertmanager, now_us: int) -> dict[str, Any]:
    end_us = now_us + round(receiver.resolve_after_s * 1e6) if event.anomaly.active else now_us
    return _alert(event, event.severity, end_us, now_us)


def _news(event: Event, receiver: Alertmanager, now_us: int) -> Iterable[dict[str, Any]]:
    """The episode's alert, and where its severity may have changed those that it had before, ended."""
    yield _current(event, receiver, now_us)
    if event.anomaly.transition is Transition.UPDATED:
        for other in SEVERITIES:
            if other != event.severity:
                yield _alert(event, other, now_us, now_us)


def _alert(event: Event, severity: str, end_us: int, now_us: int) -> dict[str, Any]:
    a = event.anomaly
    labels = {
        "alertname": f"robovitals_{a.rule}", "episode": a.episode_id, "robot": a.robot_id, "component": a.component,
        "signal": a.signal, "rule": a.rule, "about": a.about, "maker": maker_of(a), "model": model_of(a),
        "severity": severity,
    }  # fmt: skip
    annotations = {
        "summary": event.sentence, "status": a.status, "state": a.state, "transition": a.transition,
        "software": a.software, "actor": a.actor, "note": a.note, "parent": a.parent, "event": a.id,
        "happened": rfc3339(happened_us(a)),
    }  # fmt: skip
    return {
        # An empty label is a missing one to Alertmanager.
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: value for name, value in annotations.items() if value},
        # A robot's clock may be ahead, and an alert may not end before it starts.
        "startsAt": rfc3339(min(a.first_us, now_us, end_us)),
        "endsAt": rfc3339(end_us),
    }
