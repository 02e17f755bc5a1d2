"""Standard Webhooks, held against the specification's own package."""

import base64
import time

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from processors.notify import webhook as ours
from processors.notify.receivers import Secret
from processors.notify.wire import Event
from schemas.action import LONGEST_TEXT
from schemas.anomaly import Transition
from support.anomalies import OTHER_SECRET, SECRET, anomaly, webhook


def event(number: int = 1, **changes: object) -> Event:
    return Event(id=f"msg_{number}", anomaly=anomaly(number=number, **changes))


def now_us() -> int:
    return time.time_ns() // 1000


def test_the_official_package_verifies_what_we_sign() -> None:
    post = ours.post(webhook(), "msg_1", [event()], now_us())
    data = Webhook(SECRET).verify(post.body, post.headers)
    assert data["type"] == "robovitals.anomaly.opened"
    assert data["data"]["episode_id"] == anomaly().episode_id
    assert data["data"]["text"] == anomaly().text
    assert post.headers["webhook-id"] == "msg_1"


def test_a_body_that_was_changed_is_not_verified() -> None:
    post = ours.post(webhook(), "msg_1", [event()], now_us())
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(post.body.replace(b"joint/3", b"joint/4"), post.headers)


def test_while_secrets_are_rotated_the_old_one_and_the_new_one_verify() -> None:
    post = ours.post(webhook(secrets=(Secret(SECRET), Secret(OTHER_SECRET))), "msg_1", [event()], now_us())
    for secret in (SECRET, OTHER_SECRET):
        assert Webhook(secret).verify(post.body, post.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(bytes(24)).decode()).verify(post.body, post.headers)


def test_several_events_are_a_digest_of_all_of_them() -> None:
    post = ours.post(webhook(), "msg_2", [event(1), event(2, transition=Transition.CLEARED)], now_us())
    data = Webhook(SECRET).verify(post.body, post.headers)
    assert (data["type"], data["data"]["count"]) == ("robovitals.anomaly.digest", 2)
    assert [line["type"] for line in data["data"]["events"]] == [
        "robovitals.anomaly.opened",
        "robovitals.anomaly.cleared",
    ]


def test_a_body_stays_below_20_kb_whatever_people_and_robots_write() -> None:
    long = "ü\u2028" * LONGEST_TEXT
    texts = {"text": long, "note": long, "software": long, "scenario": long, "cause": long}
    for events in ([event(1, **texts)], [event(number, **texts) for number in range(1, 51)]):
        body = ours.post(webhook(), "msg_3", events, now_us()).body
        assert len(body) <= ours.MOST_BYTES
        assert msgspec.json.decode(body)["data"]


def test_a_test_says_that_it_is_one() -> None:
    post = ours.post(webhook(), "msg_4", [Event(id="msg_4", anomaly=anomaly(), test=True)], now_us())
    data = msgspec.json.decode(post.body)["data"]
    assert data["test"] is True
    assert data["text"].startswith("TEST, please ignore: ")
