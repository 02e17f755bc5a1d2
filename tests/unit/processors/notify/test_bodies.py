"""What PagerDuty, Alertmanager and mailboxes are sent."""

from email.message import EmailMessage
from typing import Any

import msgspec
import pytest

from processors.notify import alertmanager as manager
from processors.notify import mail as mails
from processors.notify import pagerduty as duty
from processors.notify.outgoing import outgoing
from processors.notify.receivers import Kind, Secret
from processors.notify.wire import Event
from schemas.anomaly import FLEET, Anomaly, Transition
from schemas.health import Status
from support.anomalies import CODE, NOW_US, adopted, alertmanager, anomaly, email, pagerduty, receiver


def event(of: Anomaly) -> Event:
    return Event(id="msg_1", anomaly=of)


@pytest.mark.parametrize(
    ("of", "action"),
    [
        (anomaly(), "trigger"),
        (anomaly(Transition.UPDATED), "trigger"),
        (anomaly(Transition.ACKNOWLEDGED), "acknowledge"),
        (anomaly(Transition.SHELVED), "acknowledge"),
        (anomaly(Transition.OUT_OF_SERVICE), "acknowledge"),
        (adopted(2), "acknowledge"),
        (anomaly(Transition.UNSHELVED), "trigger"),
        (anomaly(Transition.RELEASED), "trigger"),
        (anomaly(Transition.CLEARED), "resolve"),
    ],
    ids=lambda a: a if isinstance(a, str) else a.transition,
)
def test_pagerduty_is_asked_for_what_the_episode_needs(of: Anomaly, action: str) -> None:
    body = msgspec.json.decode(duty.post(pagerduty(), event(of)).body)
    assert (body["event_action"], body["dedup_key"]) == (action, of.episode_id)
    assert body["routing_key"] == "k" * 32
    assert ("payload" in body) is (action == "trigger")


def test_a_trigger_has_what_pagerduty_requires() -> None:
    payload = msgspec.json.decode(duty.post(pagerduty(), event(anomaly(text="x" * 3000))).body)["payload"]
    assert len(payload["summary"]) == duty.LONGEST_SUMMARY
    assert (payload["source"], payload["severity"], payload["component"]) == (CODE, "critical", "joint/3")


def alerts(of: Anomaly, now_us: int = NOW_US) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(manager.post(alertmanager(), [event(of)], now_us).body)
    return found


def test_an_active_alert_ends_ahead_and_one_that_is_over_ends_now() -> None:
    (active,) = alerts(anomaly())
    assert (active["startsAt"], active["endsAt"]) == ("2026-09-21T14:13:15.000000Z", "2026-09-21T14:18:20.000000Z")
    (over,) = alerts(anomaly(Transition.CLEARED))
    assert over["endsAt"] == "2026-09-21T14:13:20.000000Z"
    assert over["labels"] == active["labels"]


def test_an_update_ends_the_alert_with_the_severity_that_it_had() -> None:
    found = {
        a["labels"]["severity"]: a["endsAt"] for a in alerts(anomaly(Transition.UPDATED, status=Status.OFF_SPEC))
    }
    now = "2026-09-21T14:13:20.000000Z"
    assert found == {"error": "2026-09-21T14:18:20.000000Z", "critical": now, "warning": now, "info": now}


def test_what_is_sent_again_is_the_alert_as_it_is_alone() -> None:
    post = manager.again(alertmanager(), [event(anomaly(Transition.UPDATED))], NOW_US)
    (found,) = msgspec.json.decode(post.body)
    assert (found["labels"]["severity"], found["endsAt"]) == ("critical", "2026-09-21T14:18:20.000000Z")


def test_a_bearers_token_is_sent_where_there_is_one() -> None:
    assert "authorization" not in manager.post(alertmanager(), [event(anomaly())], NOW_US).headers
    post = manager.post(alertmanager(token=Secret("t0ken")), [event(anomaly())], NOW_US)
    assert post.headers["authorization"] == "Bearer t0ken"


def test_an_alert_never_ends_before_it_starts_whatever_a_robots_clock_says() -> None:
    (found,) = alerts(anomaly(Transition.CLEARED, first_us=NOW_US + 3_600_000_000))
    assert found["startsAt"] <= found["endsAt"]


def test_labels_of_an_episode_stay_and_what_people_did_is_an_annotation() -> None:
    (before,), (after,) = alerts(anomaly()), alerts(anomaly(Transition.ACKNOWLEDGED, actor="Ada", note="seen"))
    assert after["labels"] == before["labels"]
    assert after["annotations"]["actor"] == "Ada"
    assert after["annotations"]["state"] == "acknowledged_active"


def message(*of: Anomaly, message_id: str = "msg_1") -> EmailMessage:
    return mails.mail(email(), message_id, [event(one) for one in of], NOW_US).message


def test_mails_about_an_episode_are_a_thread_and_a_repeat_is_the_same_mail() -> None:
    opened, cleared = message(anomaly()), message(anomaly(Transition.CLEARED, 2), message_id="msg_2")
    assert opened["References"] == cleared["References"] == f"<{anomaly().episode_id}.episode@example.org>"
    assert opened["Message-ID"] == message(anomaly())["Message-ID"] != cleared["Message-ID"]
    assert opened["Subject"].startswith("FAILURE: ZZ-TEST-MODEL1-")
    assert cleared["Subject"].startswith("over: ")


def test_a_mail_of_several_has_the_worst_that_holds_in_its_subject_and_all_of_them_in_its_text() -> None:
    other = anomaly(code=CODE[:-1] + "X", status=Status.OFF_SPEC, text="The other.")
    found = message(other, anomaly(), anomaly(Transition.ACKNOWLEDGED, 2))
    assert found["Subject"].startswith("FAILURE: ")
    assert found["Subject"].endswith("(and 1 more)")
    text = found.get_content()
    assert text.count("episode ep-") == 3
    assert "The other." in text


def test_a_robots_text_cannot_add_a_header_or_a_line() -> None:
    evil = "hot\r\nBcc: everyone@example.org\r\n\r\nbody\u2028more\x1b[31m"
    found = message(anomaly(text=evil, software=evil, robot_id=FLEET, component=FLEET))
    assert found["Bcc"] is None
    assert "\nBcc:" not in found.get_content()
    assert "\x1b" not in found.as_string()


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_message(kind: Kind) -> None:
    assert outgoing(receiver(kind), "msg_1", [event(anomaly())], NOW_US)
