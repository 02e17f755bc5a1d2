"""Measuring recordings: each measure gives what was put in."""

from pathlib import Path

import numpy as np
import pytest

from deploy.evaluate.simulated import measured
from deploy.evaluate.simulated.recorded import ur3
from schemas.errors import SettingError

RNG = np.random.default_rng(1)


def test_a_warming_up_gives_its_time_constant_and_its_rise():
    passed_s = np.arange(0, 3600.0)
    fit = measured.warm_up(passed_s, 40 - 12 * np.exp(-passed_s / 1800) + 0.05 * RNG.standard_normal(3600))
    assert fit.tau_s == pytest.approx(1800, rel=0.06)
    assert fit.rise_c == pytest.approx(12, rel=0.05)
    assert fit.scatter_c == pytest.approx(0.05, rel=0.1)


def test_windows_leave_out_what_is_blank():
    assert measured.window_rms(np.array([3, np.nan, 4, 4, np.nan, np.nan, 9]), 2).tolist() == [3, 4]


def test_cycles_have_a_value_each():
    values, cycle = np.array([1.0, 1, 2, np.nan]), np.array([1.0, 1, 2, 3])
    assert measured.cycle_rms(values, cycle).tolist() == [1, 2]


def test_tails_and_neighbours_are_told():
    normal = RNG.standard_normal(20_000)
    assert measured.kurtosis(normal) == pytest.approx(3, abs=0.2)
    assert measured.autocorrelation(normal) == pytest.approx(0, abs=0.03)
    assert measured.autocorrelation(np.sin(np.arange(1000) / 20)) > 0.9
    assert measured.outliers(np.array([*normal[:990], *[50.0] * 10])) == pytest.approx(0.01, abs=0.001)


def test_a_trend_is_taken_out():
    assert np.abs(measured.detrended(np.linspace(1, 1.1, 200))[20:-20]).max() < 0.001


def test_a_missing_recording_names_its_file():
    with pytest.raises(SettingError, match="ur3_cobotops"):
        ur3(Path("/nowhere"))


def test_a_resolution_is_the_least_step():
    assert measured.resolution(np.array([20.0, 20.0, np.nan, 20.25, 21.0])) == 0.25
