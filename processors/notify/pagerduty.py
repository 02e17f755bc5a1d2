"""PagerDuty's Events API v2: an episode is an alert there, its id the `dedup_key`.

In: one event. Out: the request. Called by `processors/notify/outgoing.py`. Pure.

PagerDuty knows trigger, acknowledge and resolve. What is shelved, out of service or adopted calls nobody and is not
over: it is acknowledged. Silence resolves nothing.
"""

from typing import Any

import msgspec

from processors.notify.receivers import PagerDuty
from processors.notify.wire import Event, Post, happened_us, rfc3339, robot_words, shortened
from schemas.anomaly import AlarmState

LONGEST_SUMMARY = 1024  # PagerDuty cuts off what is longer


def post(receiver: PagerDuty, event: Event) -> Post:
    action = action_of(event)
    body: dict[str, Any] = {
        "routing_key": receiver.routing_key.reveal(),
        "event_action": action,
        "dedup_key": event.anomaly.episode_id,
    }
    if action == "trigger":
        body |= {"client": "robovitals", "payload": _payload(event)}
    return Post(
        url=receiver.url.reveal(),
        headers={"content-type": "application/json"},
        body=msgspec.json.encode(body),
    )


def action_of(event: Event) -> str:
    """What the event asks of PagerDuty."""
    anomaly = event.anomaly
    if not anomaly.active:
        return "resolve"
    unseen = anomaly.state is AlarmState.UNACKNOWLEDGED_ACTIVE and not anomaly.is_muted
    return "trigger" if unseen else "acknowledge"


def _payload(event: Event) -> dict[str, Any]:
    a = event.anomaly
    return {
        "summary": shortened(f"{robot_words(a)} {a.component}: {event.sentence}", LONGEST_SUMMARY),
        "source": a.robot_id,
        "severity": event.severity,
        "timestamp": rfc3339(happened_us(a)),
        "component": a.component,
        "group": a.software,
        "class": a.rule,
        "custom_details": {
            "status": a.status, "transition": a.transition, "signal": a.signal, "value": a.value, "unit": a.unit,
            "limit": a.limit, "baseline": a.baseline, "count": a.count, "software": a.software,
            "first_sign": rfc3339(a.first_us), "event": a.id,
        },
    }  # fmt: skip
