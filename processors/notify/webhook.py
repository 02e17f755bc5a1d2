"""Standard Webhooks (version 1.0.0): the body, the headers and the signature.

In: one event, or several that are told together, and the secrets. Out: the request. Called by
`processors/notify/outgoing.py`. Pure.

`webhook-id` stays the same at every attempt, `webhook-timestamp` is the attempt's: a receiver drops repeats by the
first and old messages by the second. Each secret signs, so that a receiver may know the old one or the new one.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import msgspec

from processors.notify.receivers import Secret, Webhook
from processors.notify.wire import Event, Post, happened_us, rfc3339, shortened
from schemas.anomaly import EVENT_TYPE

MOST_BYTES = 20_000  # the specification's advice: 20 kB
_SHORT_TEXT = 400
_SHORT_LINE = 160
DIGEST_TYPE = f"{EVENT_TYPE}.digest"

_encode = msgspec.json.Encoder().encode


def post(receiver: Webhook, message_id: str, events: Sequence[Event], now_us: int) -> Post:
    """One event alone is that event, several are a digest of them."""
    body = _single(events[0]) if len(events) == 1 else _digest(events)
    timestamp = now_us // 1_000_000
    return Post(
        url=receiver.url.reveal(),
        headers={
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(receiver.secrets, message_id, timestamp, body),
        },
        body=body,
    )


def signature(secrets: Sequence[Secret], message_id: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over `id.timestamp.body`, one a secret."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    keys = [base64.b64decode(secret.reveal().removeprefix("whsec_")) for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}" for key in keys)


def _single(event: Event) -> bytes:
    data = {
        "id": event.anomaly.id,
        **msgspec.to_builtins(event.anomaly),
        "test": event.test,
        "text": event.sentence,
    }
    body = _enveloped(event.type, happened_us(event.anomaly), data)
    if len(body) > MOST_BYTES:
        for name in ("text", "note", "software", "scenario", "cause"):
            data[name] = shortened(data[name], _SHORT_TEXT)
        body = _enveloped(event.type, happened_us(event.anomaly), data)
    return body


def _digest(events: Sequence[Event]) -> bytes:
    lines = [
        {
            "id": event.anomaly.id, "type": event.type, "robot_id": event.anomaly.robot_id,
            "episode_id": event.anomaly.episode_id, "number": event.anomaly.number,
            "component": event.anomaly.component, "rule": event.anomaly.rule, "status": event.anomaly.status,
            "state": event.anomaly.state, "active": event.anomaly.active, "test": event.test,
            "text": shortened(event.sentence, _SHORT_LINE),
        }
        for event in events
    ]  # fmt: skip
    last_us = max(happened_us(event.anomaly) for event in events)
    body = _enveloped(DIGEST_TYPE, last_us, {"count": len(lines), "events": lines})
    if len(body) > MOST_BYTES:  # the events stay, their sentences go
        short = [{key: value for key, value in line.items() if key != "text"} for line in lines]
        body = _enveloped(DIGEST_TYPE, last_us, {"count": len(lines), "events": short})
    return body


def _enveloped(kind: str, time_us: int, data: dict[str, Any]) -> bytes:
    return _encode({"type": kind, "timestamp": rfc3339(time_us), "data": data})
