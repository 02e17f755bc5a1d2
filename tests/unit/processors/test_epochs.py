"""Epochs through the assessor: windows are gathered, judged once, and come to one condition a cause."""

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from processors import slow
from processors.detectors.tuning import Tuning
from processors.epochs import EPOCH_US
from processors.findings import DRIFT, GAP, RESTART, RULE_VERSIONS, STEP, TREND
from processors.shard import restore
from schemas.action import Action, Kind
from schemas.anomaly import Anomaly, Transition
from schemas.errors import ContractError
from schemas.health import Status, Zone
from schemas.limits import Limits
from schemas.vitals import PROVISIONAL, Acted, Vitals
from support.assess import START_US, Readings, robot, window
from support.assessing import Assessed

ONE = robot(1)
COMMISSIONING = Tuning().commissioning
BEGIN_US = START_US // EPOCH_US * EPOCH_US
DAY = 144


def epoch(robots: dict[str, Readings], number: int, kind: int = 0, parts: int = 1, part: int = 0) -> Vitals:
    """The n-th epoch's only window, or one of several."""
    start_us = BEGIN_US + number * EPOCH_US + part * EPOCH_US // parts
    times = np.full(len(robots), start_us + 1, np.int64).tobytes()
    vitals = window(robots, 0, kind=kind)
    return msgspec.structs.replace(
        vitals, start_us=start_us, length_us=EPOCH_US // parts, last_time_us=times, received_us=times
    )


def readings(rng: np.random.Generator, more_current: float = 0.0, wear: float = 0.1) -> Readings:
    speed = 1 + 0.1 * rng.normal()
    torque = 10 * speed + 0.3 * rng.normal()
    return {
        "joint_velocity_rad_s": [speed],
        "joint_torque_nm": [torque],
        "joint_current_a": [0.5 * torque + 0.05 * rng.normal() + more_current],
        "joint_wear": [wear],
    }


def life(epochs: int, rng: np.random.Generator, **faults: float) -> Iterator[Vitals]:
    for number in range(epochs):
        yield epoch({ONE: readings(rng)}, number)


@pytest.fixture(scope="module")
def commissioned() -> Assessed:
    return Assessed().take(*life(COMMISSIONING + 1, np.random.default_rng(1)))


def copy_of(assessed: Assessed) -> Assessed:
    return Assessed(shard=assessed.shard, slow=dict(assessed.slow), records=dict(assessed.records))


def slowly(anomalies: list[Anomaly]) -> list[tuple[str, str, str, Transition]]:
    return [(a.rule, a.component, a.signal, a.transition) for a in anomalies]


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


def test_a_stored_and_restored_state_goes_on_as_it_would_have(commissioned: Assessed) -> None:
    shard = restore(commissioned.shard, slow.restore(commissioned.slow.values()))
    assert shard.slow is not None
    again = slow.restore(slow.snapshots(shard.slow).values())
    assert again is not None
    assert slow.snapshots(again) == slow.snapshots(shard.slow) == commissioned.slow


def test_an_epoch_that_was_judged_is_not_judged_again_after_a_restart(commissioned: Assessed) -> None:
    assessed = copy_of(commissioned)
    before = assessed.shard
    assessed.take(epoch({ONE: readings(np.random.default_rng(3))}, COMMISSIONING + 1))
    remembered = dict(assessed.slow)
    assessed.shard = before  # it was stopped after the slow state was written, before the shard's
    assessed.take(epoch({ONE: readings(np.random.default_rng(3))}, COMMISSIONING + 1))
    assert assessed.slow == remembered


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


def test_slow_state_of_another_version_is_not_misread(commissioned: Assessed) -> None:
    (packed,) = commissioned.slow.values()
    with pytest.raises(ContractError, match="version 2"):
        slow.restore([packed.replace(b"\x01", b"\x02", 1)])
    with pytest.raises(ContractError, match="cannot be read"):
        slow.restore([packed[:-1]])


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


def test_after_a_restart_reports_are_about_the_robots_that_they_are_about() -> None:
    """Of two robots of a shard the first one's state was written, the other's was not, before the shard was."""
    first, second = sorted([robot(1), robot(2)])
    written = slow._bucket(first.encode())
    assert slow._bucket(second.encode()) != written

    def run(interrupted: bool) -> list[tuple[str, str, Transition]]:
        assessed, rng = Assessed(), np.random.default_rng(3)
        for number in range(9 * DAY):
            spread = {first: 10.0, second: 40.0 if number > 8 * DAY else 10.0}
            cells: dict[str, Readings] = {
                code: {"battery_cell_spread_mv": spread[code] + rng.normal()} for code in (first, second)
            }
            shard, buckets = assessed.shard, dict(assessed.slow)
            assessed.take(epoch(cells, number))
            if interrupted and number % DAY == 100:
                assessed.shard, assessed.slow = shard, buckets | {written: assessed.slow[written]}
                assessed.take(epoch(cells, number))
        return [(a.robot_id, a.rule, a.transition) for a in assessed.anomalies]

    assert run(interrupted=True) == run(interrupted=False)
    assert {code for code, _, _ in run(interrupted=False)} == {second}


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


def test_slow_state_that_is_ahead_of_its_shard_in_robots_and_tracks_is_gone_on_from() -> None:
    """Two layouts' windows of one batch; it was stopped after the slow state was written, before the shard's."""
    first, second, last = sorted([robot(1), robot(2), robot(3)])
    rng = np.random.default_rng(1)
    assessed = Assessed()
    for number in range(3):
        warm: Readings = {"battery_temperature_c": 30 + rng.normal()}
        assessed.take(epoch({first: readings(rng)}, number), epoch({second: warm}, number))
    more: Readings = {"battery_temperature_c": 30.0, "battery_resistance_mohm": 50.0}
    batch = epoch({first: readings(rng)}, 3), epoch({second: more, last: more}, 3)
    before = assessed.shard
    remembered = dict(assessed.take(*batch).slow)
    assessed.shard = before
    assessed.take(*batch)
    assert assessed.slow == remembered


def test_only_what_has_changed_is_written() -> None:
    robots = [robot(number) for number in range(1, 30)]
    assessed = Assessed()
    for number in range(2):
        assessed.take(epoch({code: {"joint_current_a": [1.0]} for code in sorted(robots)}, number))
    before = slow.restore(assessed.slow.values())
    assessed.take(epoch({robots[0]: {"joint_current_a": [1.0]}}, 2))
    after = slow.restore(assessed.slow.values())
    assert before is not None
    assert after is not None
    assert list(slow.snapshots(after, before)) == [slow._bucket(robots[0].encode())]
    assert slow.snapshots(after, after) == {}
