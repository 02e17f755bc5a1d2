"""Silence by the broker's time, as of a pulse; and robots whose clock runs ahead."""

from dataclasses import replace

import numpy as np
import pytest

from processors.detectors import clock, silence
from processors.findings import Level, Report
from processors.shard import Shard, empty_shard, widened
from schemas.columns import Int64
from support.assess import LENGTH_US, START_US, robot

SECOND_US = 1_000_000
SILENCE_US = 30 * SECOND_US
CODES = sorted(robot(n) for n in range(3))


def shard_of_three() -> tuple[Shard, Int64]:
    shard = widened(empty_shard(), np.array([code.encode() for code in CODES]))
    return replace(shard, length_us=LENGTH_US), np.arange(3)


def at(*seconds: int) -> Int64:
    return START_US + np.array(seconds) * SECOND_US


def level(report: Report) -> Level:
    (finding,) = report.findings
    return finding.level


def test_a_robot_is_silent_when_its_last_frame_is_older_than_the_setting() -> None:
    shard, rows = shard_of_three()
    shard, _ = silence.heard(shard, rows, at(0, 5, 20), at(0, 5, 20))
    same, reports = silence.step(shard, START_US + 40 * SECOND_US, SILENCE_US)
    assert (same is shard, reports) == (True, {})
    shard, reports = silence.step(shard, START_US + 46 * SECOND_US, SILENCE_US)
    assert {row: level(report) for row, report in reports.items()} == {0: Level.ALARM, 1: Level.ALARM}
    assert reports[1].findings[0].first_us == START_US + 5 * SECOND_US
    assert shard.silent.tolist() == [True, True, False]


def test_who_is_silent_already_is_not_reported_again() -> None:
    shard, rows = shard_of_three()
    shard, _ = silence.heard(shard, rows, at(0, 0, 0), at(0, 0, 0))
    shard, _ = silence.step(shard, START_US + 46 * SECOND_US, SILENCE_US)
    days_later = START_US + 10 * 86_400 * SECOND_US
    assert silence.step(shard, days_later, SILENCE_US) == (shard, {})
    assert silence.due_us(shard, SILENCE_US, 0) is None, "nobody is left who could become silent"


def test_silence_is_due_when_the_longest_unheard_robot_may_be_silent() -> None:
    shard, rows = shard_of_three()
    assert silence.due_us(shard, SILENCE_US, 0) is None
    shard, _ = silence.heard(shard, rows, at(0, 5, 20), at(7, 5, 20))
    assert silence.due_us(shard, SILENCE_US, 0) == START_US + 45 * SECOND_US


def test_time_in_which_nobody_listened_is_no_silence() -> None:
    shard, rows = shard_of_three()
    shard, _ = silence.heard(shard, rows, at(0, 5, 20), at(7, 5, 20))
    back_us = START_US + 3600 * SECOND_US
    assert silence.due_us(shard, SILENCE_US, back_us) == back_us + 40 * SECOND_US


def test_silence_ends_with_the_next_frame() -> None:
    shard, rows = shard_of_three()
    shard, _ = silence.heard(shard, rows, at(0, 0, 0), at(0, 0, 0))
    shard, _ = silence.step(shard, START_US + 46 * SECOND_US, SILENCE_US)
    shard, reports = silence.heard(shard, rows[1:2], at(50), at(50))
    assert {position: level(report) for position, report in reports.items()} == {0: Level.OK}
    assert shard.silent.tolist() == [True, False, True]


def test_a_replay_of_what_was_heard_before_ends_no_silence() -> None:
    shard, rows = shard_of_three()
    shard, _ = silence.heard(shard, rows, at(0, 0, 0), at(0, 0, 0))
    shard, _ = silence.step(shard, START_US + 46 * SECOND_US, SILENCE_US)
    same, reports = silence.heard(shard, rows, at(0, 0, 0), at(0, 0, 0))
    assert (same is shard, reports) == (True, {})


def test_among_many_only_who_was_heard_anew_is_silent_no_more() -> None:
    shard, rows = shard_of_three()
    shard, _ = silence.heard(shard, rows, at(0, 0, 0), at(0, 0, 0))
    shard, _ = silence.step(shard, START_US + 46 * SECOND_US, SILENCE_US)
    shard, reports = silence.heard(shard, rows, at(0, 50, 0), at(0, 50, 0))
    assert (list(reports), shard.silent.tolist()) == ([1], [True, False, True])


def test_old_event_times_are_no_silence() -> None:
    shard, rows = shard_of_three()
    shard, _ = silence.heard(shard, rows, at(0, 0, 0) - 10**15, at(0, 0, 0))
    _, reports = silence.step(shard, START_US + 20 * SECOND_US, SILENCE_US)
    assert reports == {}
    assert (shard.last_time_us == START_US - 10**15).all(), "shown as it is"


def test_what_open_windows_can_hide_is_no_silence() -> None:
    shard, rows = shard_of_three()
    shard, _ = silence.heard(shard, rows, at(0, 0, 0), at(0, 0, 0))
    assert silence.patience_us(shard, SILENCE_US) == SILENCE_US + LENGTH_US
    minutes = replace(shard, length_us=6 * LENGTH_US)
    _, reports = silence.step(minutes, START_US + 90 * SECOND_US, SILENCE_US)
    assert reports == {}, "a window of a minute can be open"
    _, reports = silence.step(minutes, START_US + 91 * SECOND_US, SILENCE_US)
    assert len(reports) == 3


def test_a_robot_never_heard_of_is_not_silent() -> None:
    shard, _ = shard_of_three()
    assert silence.step(shard, START_US, SILENCE_US) == (shard, {})


def test_a_clock_ahead_is_reported_once() -> None:
    shard, rows = shard_of_three()
    shard, reports = clock.mark(shard, rows[:1], at(0))
    assert {row: level(report) for row, report in reports.items()} == {0: Level.ALARM}
    _, reports = clock.mark(shard, rows[:1], at(1))
    assert reports == {}


@pytest.mark.parametrize(
    ("received", "over_with"),
    [([10, 20], 2), ([10, 20, 30], 2), ([-5, 10, 20], 3), ([10], None), ([-5, 0], None)],
    ids=["two good windows", "no third", "a window from before does not count", "one is not enough", "none"],
)
def test_a_clock_is_right_again_after_two_windows_that_came_later(
    received: list[int], over_with: int | None
) -> None:
    shard, rows = shard_of_three()
    shard, _ = clock.mark(shard, rows[:1], at(0))
    over = None
    for number, seconds in enumerate(received, start=1):
        shard, reports = clock.step(shard, rows[:1], at(seconds))
        if reports:
            assert level(reports[0]) is Level.OK
            over = number
    assert over == over_with


def test_a_repeated_mark_begins_nothing() -> None:
    shard, rows = shard_of_three()
    shard, _ = clock.mark(shard, rows[:1], at(0))
    for seconds in (10, 20):
        shard, _ = clock.step(shard, rows[:1], at(seconds))
    shard, reports = clock.mark(shard, rows[:1], at(0))
    assert (reports, shard.clock_bad.tolist()) == ({}, [0, 0, 0])


def test_bad_frames_between_good_windows_start_the_count_anew() -> None:
    shard, rows = shard_of_three()
    shard, _ = clock.mark(shard, rows[:1], at(0))
    shard, _ = clock.step(shard, rows[:1], at(10))
    shard, _ = clock.mark(shard, rows[:1], at(15))
    shard, reports = clock.step(shard, rows[:1], at(20))
    assert reports == {}
    _, reports = clock.step(shard, rows[:1], at(30))
    assert level(reports[0]) is Level.OK
