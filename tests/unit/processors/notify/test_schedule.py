"""When a message is tried again, and what an answer means."""

from datetime import UTC, datetime

import pytest

from processors.notify.receivers import Kind
from processors.notify.schedule import (
    DELAYS_S,
    LONGEST_WAIT_S,
    Again,
    Answer,
    Delivered,
    GivenUp,
    Gone,
    Verdict,
    verdict,
)
from support.anomalies import NOW_US


def came(
    code: int = 0, attempts: int = 1, kind: Kind = Kind.WEBHOOK, chance: float = 0.0, after: str = ""
) -> Verdict:
    return verdict(kind, Answer(code=code, retry_after=after), attempts, NOW_US, chance)


def wait_s(found: Verdict) -> float:
    assert isinstance(found, Again)
    return (found.due_us - NOW_US) / 1e6


def test_the_delays_are_the_specifications_and_then_it_is_given_up() -> None:
    waits = [wait_s(came(500, attempts)) for attempts in range(1, len(DELAYS_S) + 1)]
    assert waits == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert came(500, len(DELAYS_S) + 1) == GivenUp("10 attempts")


def test_chance_makes_a_wait_up_to_a_tenth_longer() -> None:
    assert wait_s(came(500, 2, chance=1.0)) == 330


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_what_is_answered_by_2xx_is_delivered(code: int) -> None:
    assert came(code) == Delivered()


@pytest.mark.parametrize("code", [0, 301, 302, 307, 400, 401, 404, 500, 502])
def test_a_webhook_is_tried_again_after_every_other_answer(code: int) -> None:
    assert wait_s(came(code)) == 5


def test_410_disables_a_webhook() -> None:
    assert came(410) == Gone("it answered 410 Gone")
    assert isinstance(came(410, kind=Kind.PAGERDUTY), Again)


@pytest.mark.parametrize("kind", [Kind.PAGERDUTY, Kind.ALERTMANAGER])
def test_what_these_call_malformed_is_not_tried_again(kind: Kind) -> None:
    assert isinstance(came(400, kind=kind), GivenUp)
    assert isinstance(came(429, kind=kind), Again)


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_in_seconds_is_honoured_and_pauses_the_receiver(code: int) -> None:
    assert came(code, after="120") == Again(NOW_US + 120_000_000, pause=True)


def test_retry_after_as_a_date_is_honoured() -> None:
    at = datetime.fromtimestamp(NOW_US / 1e6 + 90, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert wait_s(came(503, after=at)) == 90


def test_a_retry_after_is_never_shorter_than_the_schedule_nor_longer_than_a_day() -> None:
    assert wait_s(came(429, attempts=3, after="1")) == 1800
    assert wait_s(came(429, after="999999999999999")) == LONGEST_WAIT_S


@pytest.mark.parametrize("after", ["", "soon", "-5", "Tue, 99 Foo 2026"])
def test_a_429_without_a_time_pauses_for_a_minute_and_a_503_for_nothing(after: str) -> None:
    assert came(429, after=after) == Again(NOW_US + 60_000_000, pause=True)
    assert came(503, after=after) == Again(NOW_US + 5_000_000, pause=False)


def test_a_mail_server_that_says_never_is_believed() -> None:
    assert came(250, kind=Kind.EMAIL) == Delivered()
    assert isinstance(came(550, kind=Kind.EMAIL), GivenUp)
    assert wait_s(came(451, kind=Kind.EMAIL)) == 5
