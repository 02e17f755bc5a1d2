"""Whether a window is whole."""

import numpy as np
import pytest

from processors.incident.case import Window
from processors.incident.quality import quality_of

AT_US = 1_790_000_000_000_000


def window(rate_hz: float, from_s: float = -30, until_s: float = 10, without: tuple[int, ...] = ()) -> Window:
    after_s = np.arange(from_s, until_s, 1 / rate_hz)
    rows = np.delete(np.arange(len(after_s)), without)
    return Window(
        time_us=(AT_US + after_s[rows] * 1e6).astype(np.int64),
        seq=rows.astype(np.int64),
        boot_id=np.ones(len(rows), np.int64),
        mode=np.ones(len(rows), np.int64),
        readings={},
    )


@pytest.mark.parametrize("rate_hz", [1, 2, 10, 20])
def test_a_whole_window_has_no_problem_at_any_usual_rate(rate_hz):
    quality = quality_of(window(rate_hz), AT_US, True)
    assert quality.problems == ()
    assert quality.rate_hz == rate_hz


def test_a_rate_below_that_of_an_event_data_recorder_is_told_of():
    assert any("10" in note for note in quality_of(window(1), AT_US, True).notes)
    assert not any("recorder" in note for note in quality_of(window(10), AT_US, True).notes)


@pytest.mark.parametrize("given", [window(10, from_s=-28), window(10, until_s=8), window(10, without=(200,))])
def test_what_begins_late_ends_early_or_lacks_a_frame_has_a_problem(given):
    assert quality_of(given, AT_US, True).problems


def test_no_frames_are_a_problem_and_nothing_else_is_said_of_them():
    assert quality_of(window(10, until_s=-30), AT_US, True).problems == ("there are no frames in the window",)


def test_a_boot_within_the_window_is_told_of_and_its_numbers_are_not_taken_for_lost():
    first, second = window(10, until_s=0), window(10, from_s=0)
    both = Window(
        time_us=np.concatenate([first.time_us, second.time_us]),
        seq=np.concatenate([first.seq + 9000, second.seq]),
        boot_id=np.concatenate([first.boot_id, second.boot_id + 1]),
        mode=np.concatenate([first.mode, second.mode]),
        readings={},
    )
    quality = quality_of(both, AT_US, True)
    assert (quality.boots, quality.missing, quality.problems) == (2, 0, ())
