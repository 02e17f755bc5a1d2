"""Health: status from episodes, zones from the limits, what is unknown, whose turn it is, and the order."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors import slow
from processors.detectors.tracks import Track
from processors.episodes import Record
from processors.health import REFRESH_US, UNKNOWN_AFTER, judge
from processors.shard import restore
from schemas.health import NO_VALUE_US, SEVERITY, Status, Zone
from schemas.vitals import Pulse
from support.assess import LENGTH_US, NAN, START_US, Readings, robot, start_of, window
from support.assessing import Assessed

CODE = robot(1)


def readings(temperature: float = 40.0, soh: float = 0.97) -> Readings:
    return {"joint_temperature_c": [40.0, temperature], "battery_soh": soh, "pose_accuracy_mm": 0.2}


def test_a_robot_is_told_of_with_its_first_window() -> None:
    health = Assessed().take(window({CODE: readings()}, 0)).health(CODE)
    assert (health.status, health.zone, health.mode, health.software) == (Status.NORMAL, Zone.A, "working", "1.0")
    assert (health.open_episodes, health.time_us) == (0, start_of(1))
    assert {c.component: (c.status, c.zone) for c in health.components} == {
        "joint/1": (Status.NORMAL, Zone.A),
        "joint/2": (Status.NORMAL, Zone.A),
        "battery": (Status.NORMAL, Zone.A),
        "accuracy": (Status.NORMAL, Zone.NONE),
        "robot": (Status.NORMAL, Zone.NONE),
    }


def test_the_worst_component_comes_first_and_gives_the_robot_its_status() -> None:
    health = Assessed().take(window({CODE: readings(temperature=95, soh=0.88)}, 0)).health(CODE)
    assert (health.status, health.zone, health.open_episodes) == (Status.OFF_SPEC, Zone.D, 1)
    assert [c.component for c in health.components] == ["joint/2", "battery", "joint/1", "accuracy", "robot"]
    (evidence,) = health.components[0].evidence
    assert (evidence.rule, evidence.value, evidence.limit) == ("limit", 95.0, 90.0)
    assert evidence.since_us == START_US
    assert health.components[1].zone is Zone.B


def test_an_accuracy_that_was_not_measured_lately_makes_no_robot_unknown() -> None:
    unmeasured = {**readings(), "pose_accuracy_mm": NAN}
    health = Assessed().take(window({CODE: unmeasured}, 0)).health(CODE)
    assert {c.component: c.status for c in health.components}["accuracy"] is Status.UNKNOWN
    assert health.status is Status.NORMAL


def test_a_fault_is_worse_than_an_alarm() -> None:
    health = Assessed().take(window({CODE: readings(temperature=95)}, 0, fault_frames=3, mode=3)).health(CODE)
    assert (health.status, health.mode) == (Status.FAILURE, "fault")
    assert health.components[0].component == "robot"


def test_nothing_new_is_not_told() -> None:
    assessed = Assessed()
    for number in range(10):
        assessed.take(window({CODE: readings(temperature=95)}, number))
    assert len(assessed.healths) <= 2, "the first, and one refresh at most"


@pytest.mark.parametrize("change", [{"mode": 2}, {"software": "1.1"}, {"scenario": "classroom"}])
def test_a_new_word_is_told(change: dict[str, object]) -> None:
    assessed = Assessed().take(window({CODE: readings()}, 0), window({CODE: readings()}, 1, **change))
    assert len(assessed.healths) == 2


def test_a_zone_that_changes_is_told() -> None:
    assessed = Assessed().take(window({CODE: readings()}, 0), window({CODE: readings(temperature=75)}, 1))
    assert [health.zone for health in assessed.healths] == [Zone.A, Zone.B]
    assert assessed.anomalies == []


def test_every_robot_is_told_anew_once_in_a_while_and_not_all_at_once() -> None:
    codes = [robot(n) for n in range(60)]
    assessed = Assessed()
    windows = REFRESH_US // LENGTH_US
    told = []
    for number in range(windows + 1):
        assessed.take(window({code: readings() for code in codes}, number))
        told.append(len(assessed.healths))
    assert told[0] == len(codes)
    assert told[-1] == 2 * len(codes)
    assert max(later - before for before, later in itertools.pairwise(told)) < len(codes) / 4


def test_a_component_without_values_is_unknown_after_a_while_and_never_healthy() -> None:
    assessed = Assessed().take(window({CODE: readings()}, 0))
    for number in range(1, UNKNOWN_AFTER + 2):
        assessed.take(window({CODE: readings(soh=NAN)}, number))
    battery = assessed.component(CODE, "battery")
    assert (battery.status, battery.zone) == (Status.UNKNOWN, Zone.NONE)
    assert assessed.health(CODE).status is Status.UNKNOWN
    assessed.take(window({CODE: readings()}, UNKNOWN_AFTER + 2))
    assert assessed.health(CODE).status is Status.NORMAL


def test_a_component_that_never_had_a_value_is_unknown_at_once() -> None:
    assessed = Assessed().take(window({CODE: readings(soh=NAN)}, 0))
    assert assessed.component(CODE, "battery").status is Status.UNKNOWN


def test_a_component_that_left_the_layout_is_not_told_of_for_ever() -> None:
    assessed = Assessed().take(window({CODE: readings()}, 0))
    for number in range(1, UNKNOWN_AFTER + 3):
        assessed.take(window({CODE: {"joint_temperature_c": [40.0]}}, number))
    assert {c.component for c in assessed.health(CODE).components} == {"joint/1", "robot"}


def test_an_alarm_of_what_left_the_layout_stays() -> None:
    assessed = Assessed().take(window({CODE: readings(temperature=95)}, 0))
    for number in range(1, UNKNOWN_AFTER + 40):
        assessed.take(window({CODE: {"joint_temperature_c": [40.0]}}, number))
    assert assessed.component(CODE, "joint/2").status is Status.OFF_SPEC


def test_a_component_says_how_old_its_last_value_is_where_the_robot_is_younger() -> None:
    assessed = Assessed().take(window({CODE: readings()}, 0), window({CODE: readings(soh=NAN)}, 1))
    for number in range(2, 360):
        assessed.take(window({CODE: readings(soh=NAN)}, number))
    assert assessed.component(CODE, "battery").last_value_us == START_US + LENGTH_US - 1_000_000
    assert assessed.component(CODE, "joint/1").last_value_us == -1
    never = Assessed().take(window({CODE: readings(soh=NAN)}, 0))
    assert never.component(CODE, "battery").last_value_us == NO_VALUE_US


def test_evidence_names_its_episode_and_the_version_of_its_rule() -> None:
    assessed = Assessed().take(window({CODE: readings(temperature=95)}, 0))
    (evidence,) = assessed.component(CODE, "joint/2").evidence
    (anomaly,) = assessed.anomalies
    assert (evidence.episode_id, evidence.rule_version) == (anomaly.episode_id, anomaly.rule_version)
    assert (evidence.side, evidence.last_us) == ("above", anomaly.last_us)


def test_what_is_left_of_a_component_is_told_with_it() -> None:
    shard = restore(Assessed().take(window({CODE: readings()}, 0)).shard)
    remembered = slow.widened(slow.empty_slow(), shard.robots, (), (Track("battery_soh", 0),))
    courses = remembered.courses
    courses.remaining[:], courses.low[:], courses.high[:], remembered.limits[:] = 40, 30, 60, 0.8
    shard = replace(shard, slow=remembered)
    told = {c.component: c.remaining_life for c in judge(shard, 0, Record(), START_US).components}
    assert told["battery"] is not None
    assert (told["battery"].signal, told["battery"].days, told["battery"].limit) == ("battery_soh", 40, 0.8)
    assert told["joint/1"] is None


def test_what_was_wrong_of_a_robot_that_fell_silent_stays_wrong_and_the_rest_is_unknown() -> None:
    assessed = Assessed().take(window({CODE: readings(temperature=95)}, 0))
    assessed.take(Pulse(v=1, partition=0, now_us=START_US + 60_000_000, watermark_us=0))
    health = assessed.health(CODE)
    assert health.status is Status.OFF_SPEC
    assert {c.component: c.status for c in health.components} == {
        "joint/2": Status.OFF_SPEC, "joint/1": Status.UNKNOWN, "battery": Status.UNKNOWN,
        "accuracy": Status.UNKNOWN, "robot": Status.UNKNOWN,
    }  # fmt: skip
    assert health.open_episodes == 2


def test_a_silent_robot_is_unknown() -> None:
    assessed = Assessed().take(window({CODE: readings()}, 0))
    assessed.take(Pulse(v=1, partition=0, now_us=START_US + 60_000_000, watermark_us=0))
    health = assessed.health(CODE)
    assert (health.status, health.zone) == (Status.UNKNOWN, Zone.NONE)
    assert health.components[0].evidence[0].rule == "silence"
    assert health.last_seen_us == START_US + LENGTH_US - 1_000_000
    assessed.take(window({CODE: readings()}, 6))
    assert assessed.health(CODE).status is Status.NORMAL


_temperature = st.sampled_from([NAN, 40.0, 75.0, 85.0, 95.0])


@given(st.lists(st.tuples(_temperature, st.booleans()), min_size=1, max_size=10))
def test_times_go_forward_and_the_robot_is_as_bad_as_its_worst_component(
    windows: list[tuple[float, bool]],
) -> None:
    assessed = Assessed()
    for number, (temperature, silent) in enumerate(windows):
        assessed.take(window({CODE: readings(temperature)}, 6 * number))
        if silent:
            now_us = start_of(6 * number + 5)
            assessed.take(Pulse(v=1, partition=0, now_us=now_us, watermark_us=0))
    times = [health.time_us for health in assessed.healths]
    assert times == sorted(set(times))
    for health in assessed.healths:
        severities = [SEVERITY[c.status] for c in health.components]
        assert severities == sorted(severities, reverse=True)
        assert SEVERITY[health.status] == severities[0]
        assert health.open_episodes == sum(len(c.evidence) for c in health.components)
