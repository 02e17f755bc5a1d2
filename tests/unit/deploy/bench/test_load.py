"""The load of `robovitals bench latency`: what is sent when, and which joints leave their limit."""

from collections import Counter

import numpy as np
import pytest

from deploy.bench.fleet import JOINTS, LAYOUT, READINGS
from deploy.bench.load import HOT_C, Load, Plan, make_plan
from schemas.columns import decode_records
from schemas.screen import screen
from schemas.signals import SIGNAL
from support.frames import TIME_US, record

LEAD_IN_S, SECONDS = 2.0, 4.0
ROBOTS = 200


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(400, ROBOTS, LEAD_IN_S, SECONDS)


def test_a_frame_is_as_a_humanoid_sends_it():
    assert READINGS == 29 * 4 + 10 + 6
    assert LAYOUT.canonical == LAYOUT


def test_when_each_frame_is_due_is_fixed_by_its_number(plan):
    assert plan.frames == 400 * (LEAD_IN_S + SECONDS)
    assert [plan.due_s(number) for number in (0, 1, 400)] == [0, 0.0025, 1]


def test_what_is_watched_comes_after_the_lead_in(plan):
    watched = plan.probes | plan.crossings.keys()
    assert min(watched) >= 400 * LEAD_IN_S
    assert max(watched) < plan.frames


def test_robots_that_cross_do_so_alike_and_no_joint_twice():
    for seconds in (4.0, 100.0, 1000.0):
        crossings = make_plan(400, ROBOTS, LEAD_IN_S, seconds).crossings
        pairs = [(number % ROBOTS, joint) for number, joint in crossings.items()]
        assert len(pairs) == len(set(pairs)) >= min(ROBOTS, 10 * seconds)
        assert len(set(Counter(robot for robot, _ in pairs).values())) == 1
        assert {joint for _, joint in pairs} <= set(range(1, JOINTS + 1))


def test_of_a_large_fleet_some_robots_cross_once_each():
    crossings = make_plan(20_000, 20_000, LEAD_IN_S, SECONDS).crossings
    assert len(crossings) == len({number % 20_000 for number in crossings}) == 10 * SECONDS


def test_a_robots_frames_count_from_nought_at_the_times_they_are_due(plan):
    load = Load(plan, TIME_US)
    frames = [load.frame(number) for number in range(3, plan.frames, ROBOTS)]
    assert len({frame.robot_id for frame in frames}) == 1
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    assert [frame.time_us - TIME_US for frame in frames[:2]] == [7_500, 507_500]


def test_another_run_has_other_robots_and_another_boot(plan):
    one, other = (Load(plan, start_us).frame(0) for start_us in (TIME_US, TIME_US + 1_000_000))
    assert one.robot_id != other.robot_id
    assert one.boot_id != other.boot_id


def test_just_the_planned_readings_are_beyond_their_limit_and_all_are_possible(plan):
    load = Load(plan, TIME_US)
    records = [record(load.frame(number), offset=number) for number in range(plan.frames)]
    columns, rejected = decode_records(records)
    assert rejected == []
    [group] = columns.groups
    assert len(screen(LAYOUT, group.values)[1].row) == 0
    beyond = set()
    for slot, values in zip(LAYOUT.slots, group.values.T, strict=True):
        above, below = slot.signal.above, slot.signal.below
        out = (values >= (above.warn if above else np.inf)) | (values <= (below.warn if below else -np.inf))
        beyond |= {(int(number), slot.signal.name, slot.joint) for number in group.rows[out]}
    assert beyond == {(number, "joint_temperature_c", joint) for number, joint in plan.crossings.items()}
    temperature = SIGNAL["joint_temperature_c"]
    assert temperature.above is not None
    assert temperature.above.alarm < HOT_C < temperature.high
