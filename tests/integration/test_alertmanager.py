"""What is shelved here is silenced at a real Alertmanager, once, and for as long as it is shelved."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.settings import read_settings
from processors.notify.outgoing import outgoing
from processors.notify.receivers import Receiver
from processors.notify.resolver import system_lookup
from processors.notify.schedule import Answer
from processors.notify.sending import HttpSender
from processors.notify.wire import Event
from schemas.anomaly import AlarmState, Transition
from support import alertmanager as real
from support.anomalies import alertmanager, anomaly

HOUR_US = 3_600_000_000


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with real.running(read_settings().cache, tmp_path) as running:
        yield running


async def told(url: str, transition: Transition, number: int, **changes: Any) -> Answer:
    now_us = time.time_ns() // 1000
    receiver: Receiver = alertmanager(url=url)
    event = Event(id=f"msg_{number}", anomaly=anomaly(transition, number, first_us=now_us, **changes))
    sender = HttpSender(receiver, system_lookup)
    try:
        return await sender.send(outgoing(receiver, event.id, [event], now_us))
    finally:
        await sender.close()


def silences(url: str) -> list[tuple[str, str, str]]:
    return [(one["status"]["state"], one["createdBy"], one["comment"]) for one in real.asked(url, "silences")]


def alert_state(url: str) -> str:
    (alert,) = real.asked(url, "alerts")
    return alert["status"]["state"]


async def test_a_shelf_is_one_silence_however_often_it_is_told_and_ends_with_it(url: str) -> None:
    until_us = time.time_ns() // 1000 + HOUR_US
    shelf = {"until_us": until_us, "actor": "mira", "note": "waits for a part"}
    assert (await told(url, Transition.OPENED, 1)).code == 200
    assert alert_state(url) == "active"
    for _ in range(2):
        assert (await told(url, Transition.SHELVED, 2, **shelf)).code == 200
    assert silences(url) == [("active", "robovitals: mira", "waits for a part")]
    assert (await told(url, Transition.SHELVED, 3, **shelf | {"until_us": until_us + HOUR_US})).code == 200
    assert [state for state, _, _ in silences(url)] == ["active"]
    assert alert_state(url) == "suppressed"
    assert (await told(url, Transition.UNSHELVED, 4, state=AlarmState.UNACKNOWLEDGED_ACTIVE)).code == 200
    assert [state for state, _, _ in silences(url)] == ["expired"]
    assert (await told(url, Transition.UNSHELVED, 4)).code == 200


async def test_a_shelf_whose_time_is_over_silences_nothing(url: str) -> None:
    assert (await told(url, Transition.SHELVED, 2, until_us=1)).code == 200
    assert silences(url) == []
