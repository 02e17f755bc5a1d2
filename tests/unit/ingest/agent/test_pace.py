"""How soon a robot tries again, and how fast it catches up."""

import random

from ingest.agent.pace import FIRST_S, REFUSED_S, Backoff, Pace


def test_waits_are_anything_up_to_a_bound_that_doubles() -> None:
    backoff = Backoff(60.0)
    assert [backoff.failed(1.0) for _ in range(6)] == [FIRST_S, 10.0, 20.0, 40.0, 60.0, 60.0]
    assert backoff.failed(0.0) == 0.0


def test_an_acknowledgement_makes_the_next_wait_short_again() -> None:
    backoff = Backoff(60.0)
    for _ in range(9):
        backoff.failed(0.5)
    backoff.succeeded()
    assert backoff.failed(1.0) == FIRST_S


def test_who_is_refused_waits_at_least_half_a_minute() -> None:
    backoff = Backoff(60.0)
    waits = [backoff.failed(0.0, refused=True) for _ in range(6)]
    assert waits[0] == REFUSED_S / 2
    assert waits == sorted(waits)
    assert waits[-1] == waits[-2]


def test_a_hundred_thousand_robots_do_not_come_back_in_the_same_second() -> None:
    """All lose their broker at 0 s; it is back at 600 s. An attempt before that fails at once."""
    chance = random.Random(7).random
    arrivals: dict[int, int] = {}
    for _ in range(100_000):
        backoff, now_s = Backoff(60.0), 0.0
        while now_s < 600:
            now_s += backoff.failed(chance())
        arrivals[int(now_s)] = arrivals.get(int(now_s), 0) + 1
    assert max(arrivals.values()) < 4_000
    assert max(arrivals) <= 660


def test_backlog_begins_late_and_flows_evenly() -> None:
    pace = Pace(100.0, begins_s=10.0)
    assert pace.allowed(9.9) == 0
    assert pace.allowed(10.5) == 50
    pace.took(50)
    assert pace.allowed(10.75) == 25
    assert pace.allowed(1000.0) == 100


def test_a_rate_below_one_a_second_still_lets_something_through() -> None:
    pace = Pace(0.5, begins_s=0.0)
    assert pace.allowed(1.0) == 0
    assert pace.allowed(2.0) == 1
