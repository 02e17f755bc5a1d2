"""Remaining life in words: which of a component's signals speaks for it, and what is said of what is not known."""

import numpy as np
import pytest

from processors.detectors.trend import Life
from processors.remaining import Lives, duration, remaining_of

INF, NAN = float("inf"), float("nan")


def lives(*tracks: tuple[str, str, float, tuple[float, float, float]]) -> Lives:
    """One robot's: signal, component, limit, and (remaining, low, high)."""
    signals, components, limits, numbers = zip(*tracks, strict=True)
    remaining, low, high = (np.float32([column]) for column in zip(*numbers, strict=True))
    life = Life(remaining, low, high, np.zeros_like(low), np.zeros(low.shape, bool))
    return Lives(signals, components, life, np.float32([limits]))


def test_the_signal_that_ends_first_speaks_for_its_component() -> None:
    found = remaining_of(
        lives(
            ("joint_backlash_arcmin", "joint/2", 6.0, (400, 200, 900)),
            ("joint_wear", "joint/2", 0.8, (20.04, 10, 45)),
            ("joint_wear", "joint/1", 0.8, (INF, 1825, INF)),
        ),
        0,
    )
    assert set(found) == {"joint/1", "joint/2"}
    second = found["joint/2"]
    assert (second.signal, second.days, second.low, second.high, second.limit) == ("joint_wear", 20, 10, 45, 0.8)
    assert second.text == "about 20 days until estimated wear reaches 0.8 (80 %: 10 days to 45 days)"
    first = found["joint/1"]
    assert (first.days, first.low, first.high) == (None, 1825, None)
    assert first.text == "more than 5 years until estimated wear reaches 0.8"


def test_a_component_is_unknown_while_one_of_its_signals_is_and_none_has_a_date() -> None:
    unknown = ("joint_backlash_arcmin", "joint/1", 6.0, (NAN, NAN, NAN))
    (found,) = remaining_of(lives(("joint_wear", "joint/1", 0.8, (INF, 1825, INF)), unknown), 0).values()
    assert (found.signal, found.days, found.low, found.high) == ("joint_backlash_arcmin", None, None, None)
    assert found.text == "unknown: the course of estimated backlash does not tell yet when it reaches 6 arcmin"
    (found,) = remaining_of(lives(unknown, ("joint_wear", "joint/1", 0.8, (300, 100, INF))), 0).values()
    assert found.text == "about 10 months until estimated wear reaches 0.8 (80 %: 3 months and no end in sight)"


def test_what_has_no_limit_says_nothing_of_its_component() -> None:
    assert remaining_of(lives(("pose_accuracy_mm", "accuracy", NAN, (NAN, NAN, NAN))), 0) == {}


def test_what_is_over_is_said_so() -> None:
    (found,) = remaining_of(lives(("battery_soh", "battery", 0.8, (0, 0, 3))), 0).values()
    assert found.text == "none: estimated battery state of health has reached 0.8"


@pytest.mark.parametrize(
    ("days", "said"),
    [(0.4, "less than a day"), (1.2, "1 day"), (43.4, "43 days"), (120, "4 months"), (949, "2.6 years")],
)
def test_a_remaining_time_is_no_more_precise_than_it_can_be(days: float, said: str) -> None:
    assert duration(days) == said
