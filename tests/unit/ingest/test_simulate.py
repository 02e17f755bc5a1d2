"""The simulated fleet: the same from the same seed, healthy until somebody breaks it, and broken as asked."""

from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from ingest.faults import (
    FleetFile,
    add_faults,
    break_robots,
    faults_stamp,
    find_robot,
    heal_robots,
    read_faults,
    read_fleet,
    write_fleet,
)
from ingest.fleet import WORN_FOR_S, Fault, Squad
from ingest.opening import opened
from ingest.schedule import Schedule
from ingest.traits import BAD_SOFTWARE, CLASSROOM, DAY_S, FACTORY, MODELS, RELEASED_MODEL, WAREHOUSE, Robot, robot
from schemas.columns import Float32
from schemas.errors import SettingError, UnavailableError
from schemas.frame import Frame
from schemas.limits import Limits
from schemas.robot_code import has_check_character
from schemas.screen import screen
from schemas.signals import MODES, SIGNAL

DAY_US = 1_760_000_000_000_000
HOUR_S = 3600.0


def _fleet(count: int, seed: int = 1) -> list[Robot]:
    return [robot(seed, number) for number in range(1, count + 1)]


def _frames(count: int, periods: int, hz: float = 1.0, **broken: int) -> list[Frame]:
    """All frames of some periods; `broken` is fault to its beginning, of robot 1."""
    fleet = _fleet(count)
    schedule = Schedule(1, fleet, hz, DAY_US, DAY_US)
    faults = {fleet[0].code: {Fault(kind): since_us for kind, since_us in broken.items()}}
    return [frame for slot in _slots(schedule, periods, hz) for frame in schedule.frames(slot, faults)]


def _slots(schedule: Schedule, periods: int, hz: float) -> Iterator:
    end_us = DAY_US + round(periods * 1e6 / hz)
    for slot in schedule.slots():
        if slot.time_us >= end_us:
            return
        yield slot


def test_a_robot_tells_its_own_parts_in_its_first_frame_and_once_an_hour() -> None:
    frames = _frames(3, periods=61, hz=1 / 120)
    for code, joints in ((robot(1, number).code, robot(1, number).model.joints) for number in (1, 2, 3)):
        told = [frame.parts for frame in frames if frame.robot_id == code]
        assert [at for at, parts in enumerate(told) if parts is not None] == [0, 30, 60]
        assert told[0] is not None
        assert told[0] == told[30]
        assert len(told[0]) == joints + 2
    everything = [serial for at in range(3) for serial in (frames[at].parts or {}).values()]
    assert len(set(everything)) == len(everything)


def _signal(frame: Frame, squad: Squad, name: str) -> Float32:
    first, end = squad.layout.spans[name]
    return np.frombuffer(frame.values, "<f4")[first:end]


def test_codes_follow_from_seed_and_number_and_are_of_our_own_making() -> None:
    codes = [member.code for member in _fleet(50)]
    assert codes == [member.code for member in _fleet(50)]
    assert len(set(codes + [member.code for member in _fleet(50, seed=2)])) == 100
    assert all(code.startswith(("ZZSIMU", "ZZSIMV")) and has_check_character(code) for code in codes)


def test_a_fleet_has_models_with_several_numbers_of_joints() -> None:
    assert {frame.layout.partition(":")[0] for frame in _frames(4, 1)} == {"23", "29", "43"}


def test_each_model_is_in_each_scenario_and_has_two_versions_of_software_at_least() -> None:
    fleet = _fleet(200)
    assert len({(member.model, member.scenario) for member in fleet}) == 3 * 4
    assert {member.scenario.name for member in fleet} == {"factory_line", "warehouse", "classroom", "home_care"}
    for model in MODELS:
        runs = {member.software for member in fleet if member.model is model}
        assert len(runs - {BAD_SOFTWARE}) == 2
        assert (BAD_SOFTWARE in runs) is (model is not RELEASED_MODEL), "it does harm on one model only"


def test_a_classroom_is_closed_at_night_and_a_factory_never() -> None:
    for scenario, works_at_night in ((CLASSROOM, False), (FACTORY, True), (WAREHOUSE, True)):
        squad = Squad(
            1, [member for member in _fleet(300) if member.scenario is scenario and member.number % 3 == 0]
        )
        nights = [squad.step((24 * day + hour) * HOUR_S, {}) for day in (0, 1) for hour in (1, 3, 5, 23)]
        day = squad.step(2 * DAY_S + 9 * HOUR_S, {})
        assert any((night.mode != 0).any() for night in nights) is works_at_night
        assert MODES[int(np.bincount(day.mode).argmax())] == "working"


def test_a_closed_robot_is_full_and_its_counters_stand() -> None:
    squad = Squad(1, [next(member for member in _fleet(30) if member.scenario is CLASSROOM)])
    late, early = squad.step(23 * HOUR_S, {}), squad.step(31 * HOUR_S, {})
    place = squad.layout.spans["battery_soc"][0]
    assert late.values[0, place] == early.values[0, place] == pytest.approx(0.95)
    assert (late.runtime_s, late.cycles, late.energy_wh) == (early.runtime_s, early.cycles, early.energy_wh)


def test_the_same_seed_gives_the_same_readings() -> None:
    one, other = _frames(8, 3), _frames(8, 3)
    assert [frame.values for frame in one] == [frame.values for frame in other]
    assert [frame.boot_id for frame in one] != [frame.boot_id for frame in other], "each start is a boot"


def test_a_robot_is_the_same_in_a_fleet_of_any_size() -> None:
    small, large = Squad(1, [robot(1, 4)]), Squad(1, [robot(1, 1), robot(1, 4)])
    wear = slice(*small.layout.spans["joint_wear"])
    assert np.array_equal(small.step(9e5, {}).values[0, wear], large.step(9e5, {}).values[1, wear])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_healthy_robot_crosses_no_limit_and_says_nothing_impossible(model: object) -> None:
    squad = Squad(3, [member for member in _fleet(400, seed=3) if member.model is model])
    modes: set[int] = set()
    for hours in range(0, 48, 3):
        readings = squad.step(hours * HOUR_S, {})
        modes |= set(readings.mode.tolist())
        assert len(screen(squad.layout, readings.values)[1].value) == 0
        for side in ("above", "below"):
            limit = Limits().thresholds(squad.layout, "", side)
            beyond = limit.sign * readings.values >= limit.sign * limit.warn
            assert not beyond.any(), [squad.layout.slots[slot].signal.name for slot in np.nonzero(beyond)[1]]
    assert {MODES[mode] for mode in modes} == {"idle", "working", "charging"}


def test_counters_and_wear_never_go_back_and_a_restart_goes_on_where_they_were() -> None:
    fleet = [robot(1, number) for number in (1, 5, 9)]
    squad, before = Squad(1, fleet), None
    wear = slice(*squad.layout.spans["joint_wear"])
    for hour in range(0, 100, 7):
        now = squad.step(hour * HOUR_S, {})
        again = Squad(1, fleet).step(hour * HOUR_S, {})
        for name in ("runtime_s", "energy_wh", "cycles"):
            assert np.array_equal(getattr(now, name), getattr(again, name))
            assert before is None or (getattr(now, name) >= getattr(before, name)).all()
        assert np.array_equal(now.values[:, wear], again.values[:, wear])
        assert before is None or (now.values[:, wear] >= before.values[:, wear]).all()
        before = now


def test_charge_falls_at_work_and_rises_at_the_charger() -> None:
    squad = Squad(1, _fleet(1))
    place = squad.layout.spans["battery_soc"][0]
    minutes = [squad.step(minute * 60.0, {}) for minute in range(600)]
    for one, other in pairwise(minutes):
        if one.mode[0] == other.mode[0] and MODES[one.mode[0]] != "idle":
            assert (other.values[0, place] > one.values[0, place]) == (MODES[one.mode[0]] == "charging")


def test_accuracy_is_measured_now_and_then_and_absent_in_between() -> None:
    squad = Squad(1, _fleet(1))
    place = squad.layout.spans["pose_accuracy_mm"][0]
    measured = [not np.isnan(squad.step(float(second), {}).values[0, place]) for second in range(0, 7200, 10)]
    assert 5 <= sum(measured) <= 24


def test_frames_come_in_the_order_of_time_spread_over_the_period() -> None:
    frames = _frames(400, 2)
    times = [frame.time_us for frame in frames]
    assert times == sorted(times)
    assert len(frames) == 800
    assert len(set(times[:400])) >= 8
    assert max(times.count(time) for time in set(times)) <= 50


def test_sequence_numbers_count_from_nought_and_the_boots_clock_runs_beside() -> None:
    frames = [frame for frame in _frames(3, 5, hz=2.0) if frame.robot_id == robot(1, 1).code]
    assert [frame.seq for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.mono_us for frame in frames] == [0, 500_000, 1_000_000, 1_500_000, 2_000_000]


@pytest.mark.parametrize("hz", [1.0, 10.0])
def test_an_overheating_joint_is_past_90_degrees_within_five_seconds_and_cools_when_healed(hz: float) -> None:
    squad = Squad(1, _fleet(1))
    hottest = slice(*squad.layout.spans["joint_temperature_c"])
    found = [
        squad.step(step / hz, {0: {Fault.OVERHEAT: step / hz}}).values[0, hottest] for step in range(int(6 * hz))
    ]
    assert found[0].max() < 80
    assert found[-1].max() > 90
    assert np.sum(found[-1] > 80) == 1, "one joint only"
    assert squad.step(600.0, {}).values[0, hottest].max() < 80


def test_a_bad_battery_is_beyond_both_alarm_limits() -> None:
    squad, frame = Squad(1, _fleet(1)), _frames(1, 1, battery=0)[0]
    assert _signal(frame, squad, "battery_soh")[0] < 0.8
    assert _signal(frame, squad, "battery_cell_spread_mv")[0] > 100


def test_a_worn_joint_is_too_warm_for_hours_and_passes_its_alarm_limit_minutes_after_its_month() -> None:
    squad = Squad(1, _fleet(1))
    temperature, wear = (slice(*squad.layout.spans[f"joint_{name}"]) for name in ("temperature_c", "wear"))
    ages_s = [0.0, WORN_FOR_S - DAY_S, WORN_FOR_S - 2 * HOUR_S, WORN_FOR_S, WORN_FOR_S + 300]
    worn = [squad.step(age_s, {0: {Fault.WORN: age_s}}).values[0] for age_s in ages_s]
    hottest = [values[temperature].max() for values in worn]
    assert hottest == sorted(hottest)
    assert hottest[1] < 80 < hottest[2] < hottest[3] < 90 < hottest[4]
    assert worn[0][wear].max() == pytest.approx(0.46, abs=1e-3)
    assert 0.6 < worn[3][wear].max() < 0.8, "worn, but not used up"


@pytest.mark.parametrize(
    ("fault", "name"), [("warm", "joint_temperature_c"), ("hot_pack", "battery_temperature_c")]
)
def test_what_is_warm_is_beyond_its_warn_limit_and_not_its_alarm_limit(fault: str, name: str) -> None:
    squad = Squad(1, _fleet(1))
    limit = SIGNAL[name].above
    assert limit is not None
    assert limit.warn < _signal(_frames(1, 1, **{fault: 0})[0], squad, name).max() < limit.alarm


def test_backlash_jumps_to_several_times_what_it_was() -> None:
    squad, name = Squad(1, _fleet(1)), "joint_backlash_arcmin"
    broken, healthy = _signal(_frames(1, 1, backlash=0)[0], squad, name), _signal(_frames(1, 1)[0], squad, name)
    assert np.sum(broken > 4 * healthy) == 1


def test_a_bad_release_says_its_name_and_gets_several_signals_wrong() -> None:
    squad, name = Squad(1, _fleet(1)), "joint_backlash_arcmin"
    before, after = _frames(1, 2, release=DAY_US + 1_000_000)
    assert (before.software, after.software) == (robot(1, 1).software, BAD_SOFTWARE)
    assert np.sum(_signal(after, squad, name) > 4 * _signal(before, squad, name)) == 1
    assert _signal(after, squad, "battery_soh")[0] < 0.8


def test_a_silent_robot_sends_nothing_and_its_fleet_goes_on() -> None:
    frames = _frames(2, 5, silent=DAY_US + 2_000_000)
    assert [frame.robot_id for frame in frames].count(robot(1, 1).code) == 2
    assert [frame.robot_id for frame in frames].count(robot(1, 2).code) == 5


def test_a_wrong_clock_is_an_hour_ahead_from_when_it_breaks() -> None:
    times = [f.time_us - DAY_US for f in _frames(1, 4, clock=DAY_US + 2_000_000)]
    assert times == [0, 1_000_000, 3_602_000_000, 3_603_000_000]


def test_faults_of_the_past_are_added_to_those_that_stand(tmp_path: Path) -> None:
    one, other = robot(1, 1).code, robot(1, 2).code
    break_robots(tmp_path, [one], Fault.SILENT, 5)
    add_faults(tmp_path, {one: {Fault.SILENT: 9, Fault.WARM: 9}, other: {Fault.WORN: 3}})
    assert read_faults(tmp_path) == {one: {Fault.SILENT: 5, Fault.WARM: 9}, other: {Fault.WORN: 3}}


def test_breaking_and_healing_reach_the_file_and_change_its_stamp(tmp_path: Path) -> None:
    code, stamps = robot(1, 1).code, [faults_stamp(tmp_path)]
    break_robots(tmp_path, [code], Fault.SILENT, 5)
    stamps.append(faults_stamp(tmp_path))
    break_robots(tmp_path, [code], Fault.SILENT, 9)
    assert read_faults(tmp_path) == {code: {Fault.SILENT: 5}}, "a fault that stands keeps its beginning"
    heal_robots(tmp_path, [code])
    stamps.append(faults_stamp(tmp_path))
    assert read_faults(tmp_path) == {}
    assert len(set(stamps)) == 3


def test_a_robot_is_found_by_number_code_and_a_unique_part_of_it(tmp_path: Path) -> None:
    write_fleet(tmp_path, FleetFile(1, 20, DAY_US, 0))
    wanted = robot(1, 7)
    code = wanted.code
    hyphened = f"{code[:2]}-{code[2:6]}-{code[6:12]}-{code[12:]}"
    for text in ("7", code, code.lower(), hyphened, code[-4:]):
        assert find_robot(tmp_path, text) == wanted


@pytest.mark.parametrize(("text", "said"), [("ZZSIM", "20 simulated robots are"), ("21", "no simulated robot is")])
def test_a_robot_that_is_not_clear_is_answered_with_some_that_are(tmp_path: Path, text: str, said: str) -> None:
    write_fleet(tmp_path, FleetFile(1, 20, DAY_US, 0))
    with pytest.raises(SettingError, match=rf"{said} named so; .*ZZSIMUHUMA23"):
        find_robot(tmp_path, text)


def test_without_a_fleet_nothing_can_be_broken(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="robovitals demo"):
        find_robot(tmp_path, "1")


def test_history_begins_where_the_fleet_left_off_and_never_twice(tmp_path: Path) -> None:
    def first_us(now_us: int, seed: int = 1) -> int:
        return opened(read_fleet(tmp_path), seed, 3, 600.0, now_us).boot_us

    assert first_us(DAY_US) == DAY_US - 600_000_000
    write_fleet(tmp_path, FleetFile(1, 3, DAY_US, DAY_US))
    assert first_us(DAY_US + 60_000_000) == DAY_US + 1
    assert first_us(DAY_US + 900_000_000) == DAY_US + 300_000_000
    assert first_us(DAY_US + 60_000_000, seed=2) == DAY_US - 540_000_000, "another seed is another fleet"
    write_fleet(tmp_path, FleetFile(1, 3, DAY_US, DAY_US))
    fleet = read_fleet(tmp_path)
    assert fleet is not None
    assert [member.number for member in islice(fleet.members(), 3)] == [1, 2, 3]
