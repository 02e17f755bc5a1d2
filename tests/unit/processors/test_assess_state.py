"""What each kind of message does to the assessor's state: once, in any repetition, and across restarts."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import assessor
from processors.shard import Column, restore, snapshot
from schemas.action import Action, Kind
from schemas.anomaly import Transition
from schemas.errors import ContractError
from schemas.health import Status
from schemas.vitals import FINAL, LATE_REASONS, PROVISIONAL, REPAIRED, Acted, Crossing, Late, Message, Pulse, Vitals
from support.assess import LENGTH_US, NAN, Readings, robot, start_of, window
from support.assessing import Assessed

CODE, OTHER = robot(1), robot(2)
OPENED, UPDATED, CLEARED = Transition.OPENED, Transition.UPDATED, Transition.CLEARED
JOINT = "joint/1"


def hot(temperature: float) -> dict[str, Readings]:
    return {CODE: {"joint_temperature_c": [temperature]}}


def crossing(time_us: int, **changes: Any) -> Crossing:
    usual: dict[str, Any] = {
        "v": 1, "robot_id": CODE, "boot_id": 1, "seq": 5, "time_us": time_us, "received_us": time_us,
        "signal": "joint_temperature_c", "joint": 1, "side": "above", "value": 95.5, "limit": 90.0,
        "software": "1.0", "scenario": "factory_line", **changes,
    }  # fmt: skip
    return Crossing(**usual)


def late(reason: str, received_us: int, code: str = CODE, time_us: int | None = None) -> Late:
    return Late(
        v=1, partition=0, length_us=LENGTH_US, robot_id=[code], start_us=[0], offset=[1],
        reason=[LATE_REASONS.index(reason)], time_us=[time_us or received_us], received_us=[received_us],
    )  # fmt: skip


def acted(kind: Kind, now_us: int) -> Acted:
    """Somebody does something about the robot, and if it is to shelve, for half a minute."""
    action = Action(
        v=1, id=f"{kind}-{now_us}", robot_id=CODE, kind=kind, actor="Ada", time_us=now_us,
        until_us=now_us + 30_000_000,
    )  # fmt: skip
    return Acted(v=1, action=action, taken_us=now_us)


def pulse(now_us: int) -> Pulse:
    return Pulse(v=1, partition=0, now_us=now_us, watermark_us=0)


def test_a_window_again_changes_nothing() -> None:
    assessed = Assessed().take(window(hot(40), 0), window(hot(95), 1))
    state, told = assessed.shard, (len(assessed.anomalies), len(assessed.healths))
    assessed.take(window(hot(95), 1), window(hot(40), 0), window(hot(30), 1))
    assert (assessed.shard, (len(assessed.anomalies), len(assessed.healths))) == (state, told)


def test_of_a_window_again_only_the_robots_it_had_not_shown_are_judged() -> None:
    assessed = Assessed().take(window(hot(95), 0))
    assessed.take(window({**hot(30), OTHER: {"joint_temperature_c": [95.0]}}, 0))
    assert [(a.robot_id, a.transition) for a in assessed.anomalies] == [(CODE, OPENED), (OTHER, OPENED)]


def test_a_provisional_window_raises_and_its_final_one_does_not_raise_again() -> None:
    assessed = Assessed().take(window(hot(95), 0, PROVISIONAL))
    assert assessed.transitions() == [("limit", JOINT, OPENED)]
    assert assessed.component(CODE, JOINT).status is Status.OFF_SPEC
    assessed.take(window(hot(95), 0, PROVISIONAL), window(hot(96), 0, FINAL))
    assert assessed.transitions() == [("limit", JOINT, OPENED)]
    assessed.take(window(hot(30), 1), window(hot(30), 2))
    assert assessed.transitions()[1:] == [("limit", JOINT, CLEARED)]


def test_the_final_window_after_a_provisional_one_is_judged_as_if_it_were_the_first_sight() -> None:
    straight = Assessed().take(window(hot(40), 0), window(hot(85), 1), window(hot(85), 2))
    detour = Assessed().take(
        window(hot(40), 0), window(hot(85), 1, PROVISIONAL), window(hot(85), 1), window(hot(85), 2, PROVISIONAL),
        window(hot(85), 2),
    )  # fmt: skip
    assert [a.id for a in straight.anomalies] == [a.id for a in detour.anomalies]
    ours, theirs = restore(straight.shard), restore(detour.shard)
    assert (ours.phase == theirs.phase).all()
    assert (ours.seen == theirs.seen).all()
    assert (ours.window_us == theirs.window_us).all()


def test_a_provisional_window_raises_no_warning() -> None:
    assessed = Assessed().take(window(hot(85), 0), window(hot(85), 1, PROVISIONAL))
    assert assessed.anomalies == []
    assessed.take(window(hot(85), 1))
    assert assessed.transitions() == [("limit", JOINT, OPENED)]


def test_a_provisional_window_ends_nothing() -> None:
    assessed = Assessed().take(window(hot(95), 0), window(hot(30), 1), window(hot(30), 2, PROVISIONAL))
    assert assessed.transitions() == [("limit", JOINT, OPENED)]
    assessed.take(window(hot(30), 2))
    assert assessed.transitions()[1:] == [("limit", JOINT, CLEARED)]


def test_a_provisional_window_that_comes_too_late_does_nothing() -> None:
    assessed = Assessed().take(window(hot(40), 0), window(hot(95), 0, PROVISIONAL))
    assert assessed.anomalies == []


def test_a_repaired_window_is_left_out() -> None:
    assessed = Assessed().take(window(hot(95), 0, REPAIRED))
    assert (assessed.anomalies, assessed.healths) == ([], [])


def test_of_a_window_of_backfill_only_the_last_sight_is_taken() -> None:
    assessed = Assessed().take(window(hot(40), 0), window(hot(95), 1, backfill_frames=10))
    shard = restore(assessed.shard)
    assert assessed.anomalies == []
    assert shard.last_time_us.tolist() == [start_of(2) - 1_000_000]
    assert shard.window_us.tolist() == [start_of(0)]
    assessed.take(window(hot(95), 1, backfill_frames=9))
    assert assessed.transitions() == [("limit", JOINT, OPENED)], "one live frame makes it live"


def test_a_robot_that_flushes_its_spool_is_not_silent() -> None:
    assessed = Assessed().take(window(hot(40), 0), pulse(start_of(6)))
    assessed.take(window(hot(40), -50, backfill_frames=10, received_us=start_of(7)))
    assert assessed.transitions() == [("silence", "robot", OPENED), ("silence", "robot", CLEARED)]


def test_a_crossing_raises_at_once_and_the_windows_go_on_with_it() -> None:
    assessed = Assessed().take(window(hot(40), 0), crossing(start_of(1) + 5))
    assert assessed.transitions() == [("limit", JOINT, OPENED)]
    assert assessed.health(CODE).status is Status.OFF_SPEC
    assessed.take(window(hot(95.5), 1), window(hot(30), 2), window(hot(30), 3))
    assert assessed.transitions()[1:] == [("limit", JOINT, CLEARED)]
    assert assessed.anomalies[1].count == 2
    assert assessed.health(CODE).status is Status.NORMAL


def test_a_window_before_the_one_of_the_crossing_does_not_end_it() -> None:
    assessed = Assessed().take(window(hot(40), 0), crossing(start_of(2) + 5))
    assessed.take(window(hot(40), 1, fault_frames=1))
    assert ("limit", JOINT, CLEARED) not in assessed.transitions()
    assessed.take(window(hot(95.5), 2))
    assert ("limit", JOINT, CLEARED) not in assessed.transitions()


def test_a_crossing_of_a_window_that_was_judged_already_is_a_repeat() -> None:
    assessed = Assessed().take(crossing(start_of(1) + 5))
    assessed.take(window(hot(95.5), 1), window(hot(30), 2), window(hot(30), 3))
    told = assessed.transitions()
    assessed.take(crossing(start_of(1) + 5))
    assert assessed.transitions() == told == [("limit", JOINT, OPENED), ("limit", JOINT, CLEARED)]


def test_a_crossing_is_a_repeat_even_when_nobody_remembers_its_episode() -> None:
    assessed = Assessed().take(crossing(start_of(1) + 5))
    assessed.take(window(hot(95.5), 1), window(hot(30), 2), window(hot(30), 3))
    assessed.take(pulse(start_of(9_000)), window(hot(30), 9_001))
    assert [episode.rule for episode in assessed.record(CODE).episodes] == ["silence"]
    told = assessed.transitions()
    assessed.take(crossing(start_of(1) + 5))
    assert assessed.transitions() == told


def test_a_crossing_of_a_robot_that_no_window_has_shown_raises_too() -> None:
    assessed = Assessed().take(crossing(start_of(0)))
    assert assessed.transitions() == [("limit", JOINT, OPENED)]
    assert assessed.healths == [], "what it is like is told with its first window"


def test_a_crossing_leaves_the_matrix_alone() -> None:
    assessed = Assessed().take(window(hot(40), 0))
    outcome = assessor.on_crossing(restore(assessed.shard), crossing(start_of(1)), assessed.record)
    assert outcome.shard is None


def test_a_robot_that_reports_a_fault_fails_at_once() -> None:
    assessed = Assessed().take(window(hot(40), 0), crossing(start_of(1), signal="mode", joint=0, value=3, limit=3))
    assert assessed.anomalies[0].status is Status.FAILURE
    assert assessed.anomalies[0].value is None
    assessed.take(window(hot(40), 1, fault_frames=2, mode=3), window(hot(40), 2), window(hot(40), 3))
    assert assessed.transitions() == [("mode", "robot", OPENED), ("mode", "robot", CLEARED)]


def test_two_crossings_of_one_frame_are_two_episodes_and_their_healths_differ_in_time() -> None:
    assessed = Assessed().take(window({CODE: {"joint_temperature_c": [40.0, 40.0]}}, 0))
    assessed.take(crossing(start_of(1)), crossing(start_of(1), joint=2))
    assert assessed.transitions() == [("limit", "joint/1", OPENED), ("limit", "joint/2", OPENED)]
    assert assessed.health(CODE).open_episodes == 2
    assert len({health.time_us for health in assessed.healths}) == 3


def test_a_clock_ahead_is_checked_and_right_again_after_two_good_windows() -> None:
    assessed = Assessed().take(window(hot(40), 0), late("clock_ahead", start_of(1)))
    assert assessed.transitions() == [("clock", "robot", OPENED)]
    assert assessed.health(CODE).status is Status.CHECK_FUNCTION
    assessed.take(late("clock_ahead", start_of(1)), window(hot(40), 1), window(hot(40), 2))
    assert assessed.transitions()[1:] == [("clock", "robot", CLEARED)]
    assert assessed.health(CODE).status is Status.NORMAL


def test_a_robot_with_nothing_but_a_clock_ahead_is_known_and_not_silent() -> None:
    assessed = Assessed()
    for number in range(0, 60, 5):
        received_us = start_of(0) + number * 1_000_000
        assessed.take(late("clock_ahead", received_us, time_us=received_us + 10**10), pulse(received_us))
    assert assessed.transitions() == [("clock", "robot", OPENED)]
    health = assessed.healths[0]
    assert (health.robot_id, health.status, health.last_seen_us) == (CODE, Status.CHECK_FUNCTION, start_of(0))


@pytest.mark.parametrize("reason", [reason for reason in LATE_REASONS if reason != "clock_ahead"])
def test_other_late_frames_raise_nothing_and_are_a_sign_of_life(reason: str) -> None:
    assessed = Assessed().take(window(hot(40), 0), pulse(start_of(6)), late(reason, start_of(7)))
    assert assessed.transitions() == [("silence", "robot", OPENED), ("silence", "robot", CLEARED)]


def test_a_pulse_while_all_is_well_writes_nothing() -> None:
    assessed = Assessed().take(window(hot(40), 0))
    outcome = assessor.on_pulse(restore(assessed.shard), start_of(1), 30_000_000, assessed.record)
    assert (outcome.shard, outcome.records, outcome.anomalies) == (None, {}, [])


def test_silence_never_ends_what_was_wrong() -> None:
    assessed = Assessed().take(window(hot(95), 0), pulse(start_of(6)), pulse(start_of(9_000)))
    assert assessed.transitions() == [
        ("limit", JOINT, OPENED), ("silence", "robot", OPENED), ("limit", JOINT, Transition.ADOPTED),
    ]  # fmt: skip
    assert assessed.health(CODE).status is Status.OFF_SPEC


def test_state_of_another_version_is_not_misread() -> None:
    good = snapshot(restore(Assessed().take(window(hot(40), 0)).shard))
    assert good[:2] == b"\x98\x01"
    with pytest.raises(ContractError, match="version 2"):
        restore(b"\x98\x02" + good[2:])
    with pytest.raises(ContractError, match="cannot be read"):
        restore(good[:-1])


def test_columns_of_the_state_are_found_by_name() -> None:
    shard = restore(Assessed().take(window({CODE: {"joint_temperature_c": [40.0], "battery_soh": 0.9}}, 0)).shard)
    assert shard.columns == (
        Column("joint_temperature_c", 1, "above"), Column("battery_soh", 0, "below"), Column("mode", 0, ""),
    )  # fmt: skip


_temperatures = st.sampled_from([NAN, 40.0, 75.0, 85.0, 92.0])
_kinds = st.sampled_from(["window", "provisional", "crossing", "late", "pulse", "shelve", "acknowledge"])
_script = st.lists(st.tuples(_kinds, st.booleans(), _temperatures, _temperatures), min_size=1, max_size=14)


def messages(script: list[tuple[str, bool, float, float]]) -> list[Message]:
    """A plausible log of one shard: windows in order, crossings before their windows, all of it repeatable."""
    log: list[Message] = []
    number = 0
    for kind, skip, one, two in script:
        number += 4 if skip else 1
        both: dict[str, Readings] = {CODE: {"joint_temperature_c": [one]}, OTHER: {"joint_temperature_c": [two]}}
        if kind == "provisional":
            log.append(window(both, number, PROVISIONAL))
        if kind == "crossing":
            log.append(crossing(start_of(number) + 5))
        if kind == "late":
            log.append(late("clock_ahead", start_of(number)))
        if kind == "pulse":
            log.append(pulse(start_of(number)))
        if kind in ("shelve", "acknowledge"):
            log.append(acted(Kind(kind), start_of(number)))
        log.append(window(both, number))
    return log


@settings(deadline=None)
@given(_script, st.data())
def test_a_crash_anywhere_ends_in_the_same_ids_and_the_same_state(
    script: list[tuple[str, bool, float, float]], data: st.DataObject
) -> None:
    """The loop sends, writes episodes, writes the state, acknowledges: cut it anywhere and start from the ack."""
    log = messages(script)
    straight = Assessed().take(*log)
    crashed = Assessed()
    at = data.draw(st.integers(0, len(log) - 1))
    crashed.take(*log[:at])
    (outcome,) = crashed._outcomes(log[at])
    cut = data.draw(st.integers(0, 3))
    if cut > 0:
        crashed.send(outcome)
    if cut > 1:
        crashed.write_records(outcome)
    if cut > 2 and outcome.shard is not None:
        crashed.shard = snapshot(outcome.shard)
    crashed.take(*log[at:])
    assert {a.id: a for a in crashed.anomalies} == {a.id: a for a in straight.anomalies}
    assert (crashed.shard, crashed.records) == (straight.shard, straight.records)


@settings(deadline=None)
@given(_script)
def test_the_log_read_again_from_the_beginning_opens_nothing(script: list[tuple[str, bool, float, float]]) -> None:
    log = [message for message in messages(script) if not isinstance(message, Pulse)]
    assessed = Assessed().take(*log)
    ids = [a.id for a in assessed.anomalies]
    assessed.take(*log)
    assert [a.id for a in assessed.anomalies] == ids


@settings(deadline=None)
@given(_script)
def test_provisional_windows_change_no_episode(script: list[tuple[str, bool, float, float]]) -> None:
    """Whether they come depends on the wall clock; what is told of the machine does not."""
    log = [message for message in messages(script) if not isinstance(message, Pulse)]
    final = [message for message in log if not (isinstance(message, Vitals) and message.kind == PROVISIONAL)]
    told = [
        sorted((a.id, a.transition, a.status, a.first_us, a.count) for a in Assessed().take(*sent).anomalies)
        for sent in (log, final)
    ]
    assert told[0] == told[1]
