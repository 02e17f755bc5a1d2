"""How the delivery log reads."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.commands import deliveries
from deploy.commands.deliveries import state_of
from serve.deliveries import Delivery

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def delivery(**changes: Any) -> Delivery:
    usual: dict[str, Any] = {
        "id": 7, "delivery_id": "msg_7", "message_id": "msg_7", "receiver": "hook", "route": "all",
        "event_id": "ep/1", "episode_id": "0123456789", "robot_id": "fleet", "transition": "opened",
        "status": "FAILURE", "test": False, "state": "pending", "attempts": 0,
        "created": NOW - timedelta(minutes=1), "ready": NOW, "due": NOW, "finished": None, "detail": "",
        "code": None, "error": "", "disabled": False,
    }  # fmt: skip
    return Delivery(**{**usual, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "is due"),
        ({"due": NOW + timedelta(minutes=5), "attempts": 2}, "waits for 5 m 0 s, 2 tries"),
        ({"disabled": True, "attempts": 1}, "waits: its receiver is disabled, 1 try"),
        ({"state": "delivered", "attempts": 1}, "delivered, 1 try"),
        ({"state": "dropped"}, "dropped"),
    ],
)
def test_a_delivery_says_how_it_stands(changes: dict[str, Any], words: str) -> None:
    assert state_of(delivery(**changes), NOW) == words


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"detail": "10 attempts", "error": "refused", "state": "failed"}, ": 10 attempts"),
        ({"error": "no answer within 15 s"}, ": no answer within 15 s"),
        ({"code": 500}, ": it answered 500"),
        ({"code": 200, "state": "delivered"}, "(01234567)"),
    ],
)
def test_its_line_ends_with_what_went_wrong(changes: dict[str, Any], end: str) -> None:
    assert deliveries._line(delivery(**changes), NOW).endswith(end)


def test_what_a_receiver_says_is_no_markup() -> None:
    assert r"\[bold]" in deliveries._line(delivery(error="[bold]x"), NOW)
