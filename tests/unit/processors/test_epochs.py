"""Epochs through the assessor: windows are gathered, judged once, and come to one condition a cause."""

import msgspec
import numpy as np
import pytest

from processors import slow
from processors.epochs import EPOCH_US
from processors.findings import DRIFT, GAP, RESTART, RULE_VERSIONS, STEP, TREND
from schemas.action import Action, Kind
from schemas.anomaly import Anomaly, Transition
from schemas.health import Status, Zone
from schemas.limits import Limits
from schemas.vitals import PROVISIONAL, Acted
from support.assess import Readings, robot, window
from support.assessing import Assessed
from support.epochs import BEGIN_US, COMMISSIONING, DAY, ONE, copy_of, epoch, past_commissioning, readings


@pytest.fixture(scope="module")
def commissioned() -> Assessed:
    return past_commissioning()


def test_a_joint_that_draws_more_at_the_same_load_is_one_episode_with_its_evidence(commissioned: Assessed) -> None:
    assessed, rng = copy_of(commissioned), np.random.default_rng(2)
    for number in range(COMMISSIONING + 1, COMMISSIONING + 1 + DAY):
        assessed.take(epoch({ONE: readings(rng, more_current=2.0)}, number))
    (opened,) = assessed.anomalies
    assert (opened.component, opened.signal, opened.transition) == ("joint/1", "joint_current_a", Transition.OPENED)
    assert opened.rule in (DRIFT, STEP)
    assert (opened.status, opened.about) == (Status.MAINTENANCE_REQUIRED, "machine")
    assert opened.rule_version == RULE_VERSIONS[opened.rule]
    assert opened.value is not None
    assert opened.baseline is not None
    assert opened.limit is not None
    assert opened.baseline < opened.limit < opened.value + 2.0
    assert opened.confidence is not None
    assert 0.5 <= opened.confidence <= 1
    assert "Joint 1 current" in opened.text
    component = assessed.component(ONE, "joint/1")
    assert (component.status, component.evidence[0].baseline is not None) == (Status.MAINTENANCE_REQUIRED, True)


def test_it_stays_while_the_robot_rests_and_says_no_value_of_that_time(commissioned: Assessed) -> None:
    assessed, rng = copy_of(commissioned), np.random.default_rng(2)
    for number in range(COMMISSIONING + 1, COMMISSIONING + 1 + DAY):
        assessed.take(epoch({ONE: readings(rng, more_current=2.0)}, number))
    for number in range(COMMISSIONING + 1 + DAY, COMMISSIONING + 1 + 2 * DAY):
        held = {"joint_torque_nm": [3 + 0.1 * rng.normal()], "joint_current_a": [1.5 + 0.1 * rng.normal()]}
        assessed.take(epoch({ONE: {"joint_velocity_rad_s": [0.0], **held, "joint_wear": [0.1]}}, number))
    assert [a.transition for a in assessed.anomalies] == [Transition.OPENED]
    assert assessed.component(ONE, "joint/1").evidence[0].value is None


def test_it_ends_when_the_joint_is_as_it_was(commissioned: Assessed) -> None:
    assessed, rng = copy_of(commissioned), np.random.default_rng(2)
    for number in range(COMMISSIONING + 1, COMMISSIONING + 1 + 2 * DAY):
        more = 2.0 if number < COMMISSIONING + DAY else 0.0
        assessed.take(epoch({ONE: readings(rng, more_current=more)}, number))
    assert [a.transition for a in assessed.anomalies] == [Transition.OPENED, Transition.CLEARED]


def test_an_epoch_is_the_mean_of_its_windows_and_waits_for_them() -> None:
    assessed = Assessed()
    for part, current in enumerate([1.0, 2.0, 3.0, 6.0]):
        assessed.take(epoch({ONE: {"joint_current_a": [current]}}, 0, parts=4, part=part))
    assert assessed.slow == {}
    assessed.take(epoch({ONE: {"joint_current_a": [9.0]}}, 1, kind=PROVISIONAL))
    assert assessed.slow == {}
    assessed.take(epoch({ONE: {"joint_current_a": [9.0]}}, 1))
    found = slow.restore(assessed.slow.values())
    assert found is not None
    assert (found.arrays["mean"].item(), found.arrays["seen"].item()) == (pytest.approx(np.log(3)), 1.0)


def test_a_robot_that_was_away_has_no_epochs_meanwhile() -> None:
    assessed = Assessed()
    for number in (0, 1, 500, 501):
        assessed.take(epoch({ONE: {"joint_current_a": [2.0]}}, number))
    found = slow.restore(assessed.slow.values())
    assert found is not None
    assert found.arrays["seen"].item() == 3
    assert found.arrays["still"].item() == 2


def test_wear_that_reaches_its_limit_within_a_month_is_a_trend_and_the_health_says_when() -> None:
    assessed = Assessed()
    for number in range(40 * DAY):
        if number % 6 == 0:
            wear = 0.2 + 0.011 * number / DAY
            assessed.take(epoch({ONE: {"joint_wear": [wear]}}, number))
    told = [anomaly for anomaly in assessed.anomalies if anomaly.rule == TREND]
    assert told[0].transition is Transition.OPENED
    assert told[0].text.startswith("Joint 1 estimated wear")
    assert told[0].limit == 0.8
    component = assessed.component(ONE, "joint/1")
    assert component.remaining_life is not None
    assert component.remaining_life.days == pytest.approx((0.8 - 0.2 - 0.011 * 40) / 0.011, rel=0.15)
    assert component.zone >= Zone.C


def test_what_wears_is_followed_also_where_it_is_measured_now_and_then() -> None:
    assessed = Assessed()
    for number, measured in ((0, 0.3), (1, np.nan), (DAY, np.nan), (DAY + 1, np.nan), (DAY + 2, np.nan)):
        assessed.take(epoch({ONE: {"pose_accuracy_mm": measured}}, number, parts=20))
    found = slow.restore(assessed.slow.values())
    assert found is not None
    assert found.courses.days[0, 0] == 1
    assert found.courses.level[0, 0] == np.float32(0.3)


def replaced(component: str, number: int) -> Acted:
    """A person says so while the n-th epoch is being gathered."""
    taken_us = BEGIN_US + number * EPOCH_US + 5
    action = Action(
        v=1, id="a-1", robot_id=ONE, kind=Kind.REPLACED, actor="Ada", time_us=taken_us, component=component
    )
    return Acted(v=1, action=action, taken_us=taken_us)


def test_a_replaced_part_begins_a_new_baseline(commissioned: Assessed) -> None:
    assessed, rng = copy_of(commissioned), np.random.default_rng(2)
    begin, end = COMMISSIONING + 1, COMMISSIONING + 1 + DAY
    for number in range(begin, end):
        assessed.take(epoch({ONE: readings(rng, more_current=2.0)}, number))
    action = replaced("joint/1", end)
    assessed.take(action)
    assert [(a.transition, a.actor) for a in assessed.anomalies] == [
        (Transition.OPENED, ""), (Transition.CLEARED, "Ada"),
    ]  # fmt: skip
    assert assessed.component(ONE, "joint/1").status is Status.NORMAL
    for number in range(end, end + DAY):
        assessed.take(epoch({ONE: readings(rng, more_current=2.0)}, number))
    assert len(assessed.anomalies) == 2, "what was too much for the old part is what the new one learns from"
    found = slow.restore(assessed.slow.values())
    assert found is not None
    assert found.arrays["seen"].max() < DAY
    assert found.courses.days.max() <= 2
    before = dict(assessed.slow)
    assessed.take(action)
    assert assessed.slow == before, "and an action that comes again after a crash takes nothing away"


def test_of_a_robot_that_nobody_has_seen_nothing_is_replaced() -> None:
    assessed = Assessed().take(replaced("joint/1", 0))
    assert (assessed.anomalies, assessed.slow) == ([], {})


def test_robots_of_two_layouts_share_a_shard_and_keep_their_own() -> None:
    assessed, rng = Assessed(), np.random.default_rng(1)
    other = robot(2)
    for number in range(30):
        warm: Readings = {"battery_temperature_c": 30 + rng.normal()}
        assessed.take(epoch({ONE: readings(rng)}, number), epoch({other: warm}, number))
    found = slow.restore(assessed.slow.values())
    assert found is not None
    place = [track.signal for track in found.tracks].index("battery_temperature_c")
    assert found.arrays["seen"][:, place].tolist() == ([0, 29] if other > ONE else [29, 0])


def test_frames_that_get_lost_are_an_episode_about_the_data_until_they_no_longer_are() -> None:
    assessed = Assessed()
    for number, missing in enumerate([0, 1, 1, 1, 0, 0]):
        lossy = window({ONE: {"joint_current_a": [2.0]}}, number * 60, missing=missing)
        assessed.take(msgspec.structs.replace(lossy, length_us=EPOCH_US))
    told = [(a.rule, a.about, a.status, a.transition, a.value) for a in assessed.anomalies]
    assert told == [
        (GAP, "data", Status.CHECK_FUNCTION, Transition.OPENED, 0.091),
        (GAP, "data", Status.CHECK_FUNCTION, Transition.CLEARED, None),
    ]
    assert assessed.anomalies[0].count == 1
    assert assessed.anomalies[1].count == 3


def test_a_sender_that_starts_again_and_again_is_told() -> None:
    assessed = Assessed()
    for part in range(12):
        booted = epoch({ONE: {"joint_current_a": [2.0]}}, part // 6, parts=6, part=part % 6)
        boot = np.full(1, 1 + min(part, 4), np.int64).tobytes()
        assessed.take(msgspec.structs.replace(booted, boot_id=boot))
    assessed.take(epoch({ONE: {"joint_current_a": [2.0]}}, 2))
    assert [(a.rule, a.value, a.transition) for a in assessed.anomalies] == [
        (RESTART, 4.0, Transition.OPENED), (RESTART, None, Transition.CLEARED),
    ]  # fmt: skip


def test_models_are_judged_by_their_own_parameters() -> None:
    calm = robot(1, "CALM01")
    limits = Limits(detectors={calm[:12]: {"drift_threshold": 1e4, "step_threshold": 1e4}})
    assessed, rng = Assessed(limits=limits), np.random.default_rng(1)
    for number in range(10 * DAY):
        spread = 40 if number > 8 * DAY else 10
        cells: dict[str, Readings] = {
            code: {"battery_cell_spread_mv": spread + rng.normal()} for code in sorted([ONE, calm])
        }
        assessed.take(epoch(cells, number))
    assert {anomaly.robot_id for anomaly in assessed.anomalies if anomaly.rule in (DRIFT, STEP)} == {ONE}


def test_a_robot_is_judged_alike_alone_and_beside_one_that_has_more_signals() -> None:
    limits = Limits(detectors={ONE[:12]: {"commissioning": 2 * DAY, "least_values": 100}})

    def run(joins: int | None) -> list[Anomaly]:
        assessed, rng, others = Assessed(limits=limits), np.random.default_rng(1), np.random.default_rng(2)
        for number in range(5 * DAY):
            speed = np.exp(0.02 * rng.normal())
            current = 3 * speed * np.exp(0.02 * rng.normal()) * (1.8 if number > 4 * DAY else 1)
            assessed.take(epoch({ONE: {"joint_velocity_rad_s": [speed], "joint_current_a": [current]}}, number))
            if joins is not None and number >= joins:
                assessed.take(epoch({robot(2): readings(others)}, number))
        return [anomaly for anomaly in assessed.anomalies if anomaly.robot_id == ONE]

    alone = run(joins=None)
    assert [anomaly.transition for anomaly in alone] == [Transition.OPENED]
    assert run(joins=0) == run(joins=3 * DAY) == alone


def test_what_was_not_compared_with_a_context_is_a_logarithm_all_the_same() -> None:
    limits = Limits(detectors={ONE[:12]: {"commissioning": 2 * DAY, "least_values": 100}})
    assessed, rng = Assessed(limits=limits), np.random.default_rng(1)
    for number in range(4 * DAY):
        shakes = 3 * np.exp(0.02 * rng.normal()) * (1.8 if number > 3 * DAY else 1)
        assessed.take(epoch({ONE: {"joint_vibration_mm_s": [shakes]}}, number))
    assert assessed.anomalies[0].baseline == pytest.approx(3, rel=0.02)


def test_a_context_that_an_update_takes_away_raises_nothing() -> None:
    limits = Limits(detectors={ONE[:12]: {"commissioning": 2 * DAY, "least_values": 100}})
    assessed, rng = Assessed(limits=limits), np.random.default_rng(1)
    for number in range(4 * DAY):
        seen = readings(rng)
        if number > 3 * DAY:
            del seen["joint_torque_nm"]
        assessed.take(epoch({ONE: seen}, number))
    assert assessed.anomalies == []
