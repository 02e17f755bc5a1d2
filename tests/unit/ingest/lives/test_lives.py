"""Simulated lives: the same seed is the same life, and what is said to be true of it is."""

import numpy as np

from ingest.lives.lives import lives
from ingest.lives.truth import Fraud, SimulatedLife


def some(seed: int = 3, count: int = 40) -> list[SimulatedLife]:
    return list(lives(seed, range(count)))


def test_a_life_follows_from_seed_and_number() -> None:
    (alone,) = lives(3, range(7, 8))
    beside = some(count=8)[7]
    assert np.array_equal(alone.hours.runtime_s, beside.hours.runtime_s)
    assert np.array_equal(alone.joints.wear, beside.joints.wear)
    assert alone.truths == beside.truths
    (other,) = lives(4, range(7, 8))
    assert not np.array_equal(alone.hours.start_us, other.hours.start_us)


def test_each_hour_of_event_time_is_there_once_and_in_order() -> None:
    for life in some():
        assert (np.diff(life.hours.start_us) > 0).all()
        assert len(life.joints.wear) == len(life.hours)


def test_a_counter_that_was_set_back_is_lower_afterwards_and_one_that_was_not_never_falls_far() -> None:
    for life in some():
        honest = {truth.kind for truth in life.truths} == set() and not {
            "controller swapped, recorded", "counter misread for a while", "clock steps"
        } & {one.kind.value for one in life.lookalikes}  # fmt: skip
        if honest:
            assert np.diff(life.hours.runtime_s).min(initial=0) > -2 * 3600
        for truth in life.truths:
            if truth.kind is Fraud.ROLLBACK and len(life.truths) == 1:
                before = life.hours.runtime_s[life.hours.last_us < truth.first_us]
                after = life.hours.runtime_s[life.hours.start_us >= truth.first_us]
                assert before[-1] > after[0]


def test_there_are_honest_lives_and_others() -> None:
    kinds = {bool(life.truths) for life in some()}
    assert kinds == {True, False}
