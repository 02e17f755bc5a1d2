"""Crossings: what leaves an alarm limit is told once, until it has come back by the deadband."""

import dataclasses
import math
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processors.crossings import Crossings, step
from schemas.limits import MODEL_LENGTH, Limits, read_limits
from schemas.signals import MODES, SIGNAL
from support.windows import S, Sent, batch, sides_of

FAULT = MODES.index("fault")
BACKFILL = 1


class Run:
    def __init__(self, limits: Limits | None = None) -> None:
        self.state = Crossings(limits or Limits())
        self.offset = 0

    def feed(self, *sent: Sent, live=None, fresh_from=0) -> list[tuple[Any, ...]]:
        columns = batch(sent, self.offset)
        self.offset += len(sent)
        flags = np.ones(len(sent), bool) if live is None else np.array(live, bool)
        crossings = [crossing for _, crossing in step(self.state, columns, flags, columns.offset >= fresh_from)]
        return [(c.seq, c.signal, c.joint, c.side, c.value, c.limit) for c in crossings]


def hot(*temperatures: float | None, **changes: Any) -> list[Sent]:
    """A frame a second of a robot with one joint."""
    return [
        Sent(time_us=seq * S, seq=seq, readings={"joint_temperature_c": [t]}, **changes)
        for seq, t in enumerate(temperatures)
    ]


def test_a_reading_that_leaves_the_alarm_limit_is_told_with_its_frame():
    sent = hot(89.5, 90, software="2.0", scenario="classroom")
    columns = batch(sent)
    [(row, crossing)] = step(Crossings(Limits()), columns, np.ones(2, bool), np.ones(2, bool))
    assert (row, crossing.robot_id, crossing.boot_id, crossing.seq) == (1, sent[1].code, 7, 1)
    assert (crossing.time_us, crossing.received_us) == (sent[1].at_us, sent[1].received_us)
    assert (crossing.signal, crossing.joint, crossing.side) == ("joint_temperature_c", 1, "above")
    assert (crossing.value, crossing.limit) == (90, 90)
    assert (crossing.software, crossing.scenario) == ("2.0", "classroom")


def test_of_means_the_extreme_that_faces_the_limit_is_judged():
    battery = "battery_temperature_c"
    sent = [
        Sent(seq=seq, time_us=seq * S, readings={battery: 20.0}, lowest={battery: low}, highest={battery: high})
        for seq, (low, high) in enumerate([(15, 59), (15, 61), (-20, 60), (15, 58), (15, 57), (20, 60)])
    ]
    assert [(c[0], c[3], c[4]) for c in Run().feed(*sent)] == [
        (1, "above", 61), (2, "below", -20), (5, "above", 60),
    ]  # fmt: skip


def test_it_is_not_told_again_while_it_stays_outside():
    running = Run()
    assert len(running.feed(*hot(89, 91, 95, 91))) == 1
    assert running.feed(*hot(92)) == []


def test_it_is_armed_again_only_when_it_has_come_back_by_the_deadband():
    assert [c[0] for c in Run().feed(*hot(91, 88, 91))] == [0]
    assert [c[0] for c in Run().feed(*hot(91, 87, 91))] == [0]
    assert [c[0] for c in Run().feed(*hot(91, 86.9, 91))] == [0, 2]


def test_an_absent_reading_neither_leaves_nor_comes_back():
    assert [c[0] for c in Run().feed(*hot(91, None, 91))] == [0]


def test_a_limit_below_counts_downwards():
    cold = [
        Sent(seq=s, readings={"battery_temperature_c": t}) for s, t in enumerate((-19, -20, -18, -21, -17, -20.5))
    ]
    told = Run().feed(*cold)
    assert [(c[0], c[3], c[4], c[5]) for c in told] == [(1, "below", -20, -20), (5, "below", -20.5, -20)]


def test_both_sides_of_a_signal_are_watched():
    sent = [Sent(seq=s, readings={"battery_temperature_c": t}) for s, t in enumerate((61, -25))]
    assert [(c[0], c[3]) for c in Run().feed(*sent)] == [(0, "above"), (1, "below")]


def test_each_joint_is_watched_for_itself():
    sent = [Sent(seq=s, readings={"joint_temperature_c": t}) for s, t in enumerate(([91, 20], [91, 95], [20, 95]))]
    assert [(c[0], c[2]) for c in Run().feed(*sent)] == [(0, 1), (1, 2)]


def test_a_robot_that_goes_into_fault_is_told_as_a_crossing_of_its_mode():
    sent = [Sent(seq=s, mode=mode) for s, mode in enumerate((1, FAULT, FAULT, 0, FAULT))]
    assert Run().feed(*sent) == [(1, "mode", 0, "above", 1, 1), (4, "mode", 0, "above", 1, 1)]


def test_a_late_frame_is_not_looked_at():
    running = Run()
    assert running.feed(*hot(91, 20, 91), live=[False, False, False]) == []
    assert running.state.outside == {}


def test_a_frame_from_the_spool_is_not_looked_at():
    assert Run().feed(*hot(91, flags=BACKFILL)) == []


def test_what_was_read_before_a_restart_arms_but_is_not_told():
    running = Run()
    assert running.feed(*hot(91, 92), fresh_from=2) == []
    assert running.feed(*hot(93), fresh_from=2) == []


def test_a_robot_that_is_first_seen_outside_is_told():
    assert len(Run().feed(*hot(120))) == 1


def test_a_model_with_limits_of_its_own_is_judged_by_them():
    one, other = Sent(robot=1), Sent(robot=2)
    tables = {one.code[:MODEL_LENGTH]: {"joint_temperature_c": {"above": {"warn": 40, "alarm": 50, "deadband": 1}}}}
    running = Run(read_limits(tables, "limits.toml"))
    told = running.feed(*hot(60, robot=1), *hot(60, robot=2))
    assert other.code[:MODEL_LENGTH] != one.code[:MODEL_LENGTH]
    assert [(c[4], c[5]) for c in told] == [(60, 50)]


def test_a_robot_whose_layout_alternates_is_followed_from_frame_to_frame():
    sent = [
        Sent(seq=0, readings={"joint_temperature_c": [91.0]}),
        Sent(seq=1, readings={"joint_temperature_c": [20.0], "battery_soc": 0.5}),
        Sent(seq=2, readings={"joint_temperature_c": [91.0]}),
        Sent(seq=3, readings={"battery_soc": 0.5}),
        Sent(seq=4, readings={"joint_temperature_c": [91.0], "battery_soc": 0.5}),
    ]
    assert [c[0] for c in Run().feed(*sent)] == [0, 2]


def test_a_signal_that_a_frame_does_not_have_stays_outside():
    running = Run()
    assert len(running.feed(*hot(91))) == 1
    assert len(running.feed(Sent(seq=1, readings={"battery_temperature_c": 61}))) == 1
    assert running.feed(Sent(seq=2, readings={"joint_temperature_c": [91], "battery_temperature_c": 20})) == []


def test_robots_inside_their_limits_leave_no_state():
    running = Run()
    running.feed(*hot(91, 20))
    assert running.state.outside == {}


readings = st.fixed_dictionaries(
    {},
    optional={
        "joint_temperature_c": st.lists(st.sampled_from([None, 86, 88, 91, 160.0]), min_size=2, max_size=2),
        "battery_temperature_c": st.sampled_from([None, -21, -19, -17, 20, 59, 61]),
        "battery_soh": st.sampled_from([None, 0.5, 0.805, 0.9]),
    },
)
frames = st.lists(
    st.builds(
        Sent,
        robot=st.integers(1, 3),
        readings=readings,
        lowest=st.just({}) | readings,
        highest=st.just({}) | readings,
        mode=st.integers(0, 4),
        flags=st.integers(0, 1),
    ),
    max_size=40,
)


def naive(sent, live):
    """One value after the other."""
    outside, told = set(), []
    for s, counts in zip(sent, live, strict=True):
        if not counts or s.flags:
            continue
        values = [("mode", 0, "above", float(s.mode == FAULT), 1.0, 0.0)]
        for name, reading in s.readings.items():
            for joint, value in enumerate(reading, 1) if isinstance(reading, list) else [(0, reading)]:
                for side in ("above", "below"):
                    limit = getattr(SIGNAL[name], side)
                    if limit and value is not None:
                        lowest, _, highest = sides_of(s, name, joint, value)
                        facing = highest if side == "above" else lowest
                        values.append((name, joint, side, facing, limit.alarm, limit.deadband))
        for name, joint, side, value, alarm, deadband in values:
            sign, edge = (1 if side == "above" else -1), (s.code, name, joint, side)
            value, alarm, deadband = np.float32(value), np.float32(alarm), np.float32(deadband)
            if sign * value >= sign * alarm:
                if edge not in outside:
                    told.append((s.seq, name, joint, side, float(value), float(alarm)))
                outside.add(edge)
            elif sign * value < sign * alarm - deadband:
                outside.discard(edge)
    return told


@given(frames, st.lists(st.integers(0, 40), max_size=4), st.lists(st.booleans(), min_size=40, max_size=40))
def test_any_batches_tell_the_crossings_of_one_frame_at_a_time(sent, cuts, live):
    sent = [dataclasses.replace(s, seq=seq) for seq, s in enumerate(sent)]
    running = Run()
    told = []
    bounds = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    for first, end in pairwise(bounds):
        told += running.feed(*sent[first:end], live=live[first:end])
    assert sorted(told) == sorted(naive(sent, live[: len(sent)]))
    assert not any(math.isnan(c[4]) for c in told)
