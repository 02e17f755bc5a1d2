"""What goes with episodes, against what luck gives."""

import numpy as np
import pytest

from deploy.evaluate.luck import met, shift, window_sums

ROWS = 2000
ONSETS = np.sort(np.random.default_rng(3).choice(np.arange(100, 1900), 40, replace=False))


def flags_at(rows: np.ndarray) -> np.ndarray:
    flags = np.zeros(ROWS, bool)
    flags[rows] = True
    return flags


def test_windows_are_summed_round_the_circle() -> None:
    values = np.array([1.0, 2.0, 4.0, 8.0])
    assert window_sums(values, -1, 1).tolist() == [9, 3, 6, 12]
    assert window_sums(values, 0, 3).tolist() == [7, 14, 13, 11]


def test_flags_before_every_onset_are_more_than_luck() -> None:
    told = met(flags_at(ONSETS - 5), ONSETS, -10, 0)
    assert told.share == 1
    assert told.luck < 0.5
    assert told.p < 0.001


def test_flags_before_an_onset_are_not_flags_from_it() -> None:
    alone = np.array([500, 1500])
    assert met(flags_at(alone - 5), alone, 0, 10).share == 0


def test_flags_that_know_nothing_are_luck() -> None:
    flags = np.random.default_rng(4).random(ROWS) < 0.1
    told = met(flags, ONSETS, -10, 0)
    assert told.share == pytest.approx(told.luck, abs=0.2)
    assert told.p > 0.01


def test_flags_all_the_time_meet_everything_by_luck() -> None:
    told = met(np.ones(ROWS, bool), ONSETS, -10, 0)
    assert (told.share, told.luck, told.p) == (1, 1, 1)


@pytest.mark.parametrize("direction", [1, -1])
def test_values_that_are_off_at_onsets_stand_out_in_either_direction(direction: int) -> None:
    values = np.random.default_rng(5).normal(size=ROWS)
    values[ONSETS] += direction * 6
    told = shift(values, ONSETS, 0, 1)
    assert told.deviations * direction > 10
    assert told.apart > 0.95


def test_values_that_know_nothing_cannot_be_told_apart() -> None:
    told = shift(np.random.default_rng(6).normal(size=ROWS), ONSETS, 0, 10)
    assert abs(told.deviations) < 3
    assert told.apart == pytest.approx(0.5, abs=0.15)
