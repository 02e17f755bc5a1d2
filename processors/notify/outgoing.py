"""A message for a receiver, whatever it speaks.

In: events that are told together. Out: what is sent. Called by `processors/notify/delivering.py`. Pure.
"""

from collections.abc import Sequence
from typing import assert_never

from processors.notify import alertmanager, mail, pagerduty, webhook
from processors.notify.receivers import Alertmanager, Email, PagerDuty, Receiver, Webhook
from processors.notify.wire import Event, Outgoing


def outgoing(receiver: Receiver, message_id: str, events: Sequence[Event], now_us: int) -> Outgoing:
    """`message_id` stays the same at every attempt."""
    match receiver:
        case Webhook():
            return webhook.post(receiver, message_id, events, now_us)
        case PagerDuty():
            return pagerduty.post(receiver, events[0])
        case Alertmanager():
            return alertmanager.post(receiver, events, now_us)
        case Email():
            return mail.mail(receiver, message_id, events, now_us)
    assert_never(receiver)
