"""Episodes as rules have them: stable ids, repeats that change nothing, crossings before their window."""

from typing import Any

import pytest

from processors import lifecycle
from processors.episodes import Record, Robot
from processors.findings import CLOCK, EVERYTHING, LIMIT, MODE, NOTHING, SILENCE, Level, Report
from processors.lifecycle import LONGEST_HOLD_US, REOPEN_US, SHORTEST_HOLD_US
from schemas.action import Kind
from schemas.anomaly import AlarmState, Anomaly, Transition
from schemas.health import Status
from support.assess import LENGTH_US, START_US, robot, start_of
from support.conditions import ME, Operated, at_window, finding, silence

RECEIVED_US = start_of(0)  # the broker's time of the last frame, where that does not matter
OPENED, UPDATED, CLEARED = Transition.OPENED, Transition.UPDATED, Transition.CLEARED


def crossing(time_us: int, **changes: Any) -> Report:
    found = finding(0, first_us=time_us, last_us=time_us, windows=0, **changes)
    return Report(rules=(LIMIT,), until_us=NOTHING, findings=[found])


def play(*reports: Report, record: Record | None = None) -> tuple[Record, list[Anomaly]]:
    record, told = record or Record(), []
    for report in reports:
        record, more = lifecycle.apply(record, ME, [report], RECEIVED_US)
        told += more
    return record, told


def transitions(told: list[Anomaly]) -> list[tuple[Transition, int, Status]]:
    return [(anomaly.transition, anomaly.number, anomaly.status) for anomaly in told]


def test_what_was_seen_before_the_last_sign_does_not_raise_what_was_lowered_since() -> None:
    alarm = at_window(0, finding(0))
    record, _ = play(alarm, at_window(1, finding(1, Level.WARN, limit=80.0, value=85.0, windows=2)))
    assert play(alarm, crossing(start_of(0) + 5), record=record) == (record, [])


def test_an_episode_opens_changes_its_level_and_ends() -> None:
    _, told = play(
        at_window(0, finding(0, Level.WARN, limit=80.0, value=85.0)),
        at_window(1, finding(1, Level.ALARM, first_us=start_of(0), windows=2)),
        at_window(2),
        at_window(3),
    )
    assert transitions(told) == [
        (OPENED, 1, Status.MAINTENANCE_REQUIRED),
        (UPDATED, 2, Status.OFF_SPEC),
        (CLEARED, 3, Status.OFF_SPEC),
    ]
    assert len({anomaly.episode_id for anomaly in told}) == 1
    assert {anomaly.first_us for anomaly in told} == {start_of(0)}


def test_the_same_report_again_changes_nothing() -> None:
    once, told = play(at_window(0, finding(0)))
    twice, again = play(at_window(0, finding(0)), record=once)
    assert (len(told), again, twice) == (1, [], once)
    ended, told = play(at_window(1), record=once)
    assert play(at_window(1), record=ended) == (ended, [])


def test_the_same_input_has_the_same_ids() -> None:
    reports = [at_window(0, finding(0)), at_window(1), at_window(2, finding(2)), at_window(20, finding(20))]
    assert [a.id for a in play(*reports)[1]] == [a.id for a in play(*reports)[1]]


def test_ids_differ_by_robot_condition_and_first_sign() -> None:
    ids = {
        told[0].episode_id
        for told in [
            play(at_window(0, finding(0)))[1],
            play(at_window(1, finding(1)))[1],
            play(at_window(0, finding(0, component="joint/4")))[1],
            play(at_window(0, finding(0, side="below")))[1],
            lifecycle.apply(Record(), Robot(robot(2), "", ""), [at_window(0, finding(0))], RECEIVED_US)[1],
        ]
    }
    assert len(ids) == 5


def test_what_comes_back_soon_continues_its_episode() -> None:
    _, told = play(at_window(0, finding(0)), at_window(2), at_window(6, finding(6)), at_window(8))
    assert transitions(told) == [
        (OPENED, 1, Status.OFF_SPEC), (CLEARED, 2, Status.OFF_SPEC),
        (OPENED, 3, Status.OFF_SPEC), (CLEARED, 4, Status.OFF_SPEC),
    ]  # fmt: skip
    assert len({anomaly.episode_id for anomaly in told}) == 1
    assert told[-1].count == 2, "windows of both openings"


def test_what_comes_back_later_is_another_episode() -> None:
    later = 2 + (REOPEN_US // LENGTH_US) + 2
    _, told = play(at_window(0, finding(0)), at_window(2), at_window(later, finding(later)))
    assert [(a.transition, a.number, a.episode) for a in told] == [
        (OPENED, 1, 1), (CLEARED, 2, 1), (Transition.RETIRED, 3, 1), (OPENED, 1, 2),
    ]  # fmt: skip
    assert told[0].episode_id != told[3].episode_id
    assert told[2].state is AlarmState.NORMAL, "the new one takes its place on the list"


def test_a_crossing_opens_at_once_and_its_window_goes_on_with_it() -> None:
    time_us = start_of(5) + 3_000_000
    _, told = play(crossing(time_us), at_window(5, finding(5)), at_window(7))
    assert transitions(told) == [(OPENED, 1, Status.OFF_SPEC), (CLEARED, 2, Status.OFF_SPEC)]
    assert told[0].first_us == told[1].first_us == time_us
    assert told[1].count == 2, "the crossing and the window"


def test_a_window_from_before_the_crossing_does_not_end_it() -> None:
    opened, _ = play(crossing(start_of(5) + 3_000_000))
    record, told = play(at_window(4), record=opened)
    assert (record, told) == (opened, [])


def test_a_window_from_before_the_crossing_does_not_lower_it() -> None:
    opened, _ = play(crossing(start_of(5) + 3_000_000))
    _, told = play(at_window(4, finding(4, Level.WARN)), record=opened)
    assert told == []


def test_a_crossing_that_its_window_did_not_show_ends_with_it() -> None:
    _, told = play(crossing(start_of(5) + 3_000_000), at_window(5))
    assert [a.transition for a in told] == [OPENED, CLEARED]


def test_a_crossing_repeated_after_the_end_opens_nothing() -> None:
    time_us = start_of(5) + 3_000_000
    ended, _ = play(crossing(time_us), at_window(5, finding(5)), at_window(7))
    assert play(crossing(time_us), record=ended) == (ended, [])


def test_a_second_crossing_of_an_open_episode_only_keeps_it_open() -> None:
    first, _ = play(crossing(start_of(5)))
    record, told = play(crossing(start_of(5) + 1, value=97.0), record=first)
    assert (told, record.episodes[0].count, record.episodes[0].value) == ([], 1, 95.0)
    assert record.episodes[0].last_us == start_of(5) + 1


def test_a_crossing_raises_a_warning_to_an_alarm() -> None:
    _, told = play(at_window(0, finding(0, Level.WARN)), crossing(start_of(1) + 5))
    assert transitions(told) == [(OPENED, 1, Status.MAINTENANCE_REQUIRED), (UPDATED, 2, Status.OFF_SPEC)]


def test_rules_end_only_their_own_conditions() -> None:
    silent = finding(0, rule=SILENCE, component="robot", signal="", side="", value=None, limit=None, windows=0)
    record, _ = play(at_window(0, finding(0)), Report(rules=(SILENCE,), until_us=EVERYTHING, findings=[silent]))
    assert len(record.open) == 2, "silence resolves nothing"
    record, told = play(at_window(1), record=record)
    assert [(a.rule, a.transition) for a in told] == [(LIMIT, CLEARED)]


@pytest.mark.parametrize(
    ("rule", "status"),
    [(MODE, Status.FAILURE), (CLOCK, Status.CHECK_FUNCTION), (SILENCE, Status.UNKNOWN), (LIMIT, Status.OFF_SPEC)],
)
def test_each_rule_has_its_status(rule: str, status: Status) -> None:
    _, told = play(Report(rules=(rule,), until_us=EVERYTHING, findings=[finding(0, rule=rule)]))
    assert told[0].status is status


def test_what_only_raises_ends_nothing() -> None:
    opened, _ = play(at_window(0, finding(0)))
    provisional = Report(rules=(LIMIT, MODE), until_us=NOTHING, findings=[finding(1, Level.OK)])
    assert play(provisional, record=opened) == (opened, [])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Joint 3 temperature is 95 °C, above its alarm limit of 90 °C, since 2025-10-09 08:53:20 UTC."),
        ({"level": Level.WARN, "signal": "joint_wear", "value": 0.65, "limit": 0.6},
         "Joint 3 estimated wear is 0.65, above its warning limit of 0.6, since 2025-10-09 08:53:20 UTC."),
        ({"signal": "battery_soh", "component": "battery", "side": "below", "value": 0.79, "limit": 0.8},
         "Estimated battery state of health is 0.79, below its alarm limit of 0.8, since 2025-10-09 08:53:20 UTC."),
        ({"value": 88.0},
         "Joint 3 temperature is 88 °C, not yet clear of its alarm limit of 90 °C, since 2025-10-09 08:53:20 UTC."),
        ({"value": None}, "Joint 3 temperature went above its alarm limit of 90 °C, since 2025-10-09 08:53:20 UTC; "
         "it has no value now."),
        ({"rule": MODE}, "The robot reports a fault (mode fault), since 2025-10-09 08:53:20 UTC."),
    ],
)  # fmt: skip
def test_a_transition_is_told_in_a_technicians_words(changes: dict[str, Any], text: str) -> None:
    assert START_US == 1_760_000_000_000_000
    found = finding(0, **{"level": Level.ALARM, **changes})
    _, told = play(Report(rules=(found.rule,), until_us=EVERYTHING, findings=[found]))
    assert told[0].text == text


def test_an_end_is_told_with_the_value_that_ended_it() -> None:
    _, told = play(at_window(0, finding(0)), at_window(2, finding(2, Level.OK, value=70.5)))
    assert told[1].value == 70.5
    assert told[1].text == (
        "Joint 3 temperature is back to 70.5 °C, within its limits; it began 2025-10-09 08:53:20 UTC."
    )


def test_an_acknowledgement_survives_updates_and_lower_levels() -> None:
    operated = Operated().see(0, finding(0)).do(Kind.ACKNOWLEDGE, start_of(1))
    operated.see(1, finding(1, windows=2)).see(2, finding(2, Level.WARN, windows=3))
    assert operated.transitions == [OPENED, Transition.ACKNOWLEDGED, UPDATED]
    assert operated.told[-1].state is AlarmState.ACKNOWLEDGED_ACTIVE


def test_a_higher_level_takes_the_acknowledgement_away() -> None:
    operated = Operated().see(0, finding(0, Level.WARN)).do(Kind.ACKNOWLEDGE, start_of(1)).see(1, finding(1))
    assert operated.told[-1].transition is UPDATED
    assert operated.state is AlarmState.UNACKNOWLEDGED_ACTIVE


def test_what_comes_back_needs_another_acknowledgement() -> None:
    operated = Operated().see(0, finding(0)).do(Kind.ACKNOWLEDGE, start_of(1)).see(2)
    assert operated.state is AlarmState.NORMAL
    operated.see(4, finding(4))
    assert (operated.told[-1].number, operated.state) == (4, AlarmState.UNACKNOWLEDGED_ACTIVE)


def test_what_ends_unacknowledged_stays_on_the_list() -> None:
    operated = Operated().see(0, finding(0)).see(2)
    assert (operated.told[-1].state, operated.told[-1].active) == (AlarmState.UNACKNOWLEDGED_CLEARED, False)
    operated.see(500)
    assert operated.record.episodes, "however many windows come"
    operated.do(Kind.ACKNOWLEDGE, start_of(501)).see(502)
    assert (operated.told[-1].state, operated.record.episodes) == (AlarmState.NORMAL, ())


def test_what_is_shelved_is_told_and_comes_back_shelved() -> None:
    operated = Operated().see(0, finding(0, Level.WARN)).do(Kind.SHELVE, start_of(1))
    operated.see(1, finding(1)).see(3).see(60, finding(60))
    assert operated.transitions == [OPENED, Transition.SHELVED, UPDATED, CLEARED, OPENED]
    assert {anomaly.state for anomaly in operated.told[1:]} == {AlarmState.SHELVED}
    assert all(anomaly.is_muted for anomaly in operated.told[1:])
    assert len({anomaly.episode_id for anomaly in operated.told}) == 1


def test_what_comes_and_goes_is_told_once_and_held_open() -> None:
    operated = Operated()
    for number in range(0, 40, 4):
        operated.see(number, finding(number)).see(number + 2)
    assert operated.transitions == [OPENED, CLEARED, OPENED, CLEARED, OPENED]
    assert [anomaly.chattering for anomaly in operated.told] == [False, False, False, False, True]
    assert operated.episode.is_open
    assert operated.episode.count == 10, "each is counted all the same"


def test_the_longer_it_chatters_the_longer_it_has_to_be_quiet() -> None:
    holds = []
    operated = Operated()
    for number in range(0, 60, 4):
        operated.see(number, finding(number)).see(number + 2)
        holds.append(operated.episode.hold_us)
    assert holds[2:5] == [SHORTEST_HOLD_US, 2 * SHORTEST_HOLD_US, 4 * SHORTEST_HOLD_US]
    assert holds[-1] == LONGEST_HOLD_US


def test_a_higher_level_of_what_is_held_open_is_told() -> None:
    operated = Operated()
    for number in (0, 4, 8):
        operated.see(number, finding(number, Level.WARN)).see(number + 2)
    operated.see(12, finding(12))
    assert operated.told[-1].transition is UPDATED
    assert (operated.told[-1].status, operated.episode.quiet) == (Status.OFF_SPEC, False)


def test_three_openings_over_a_longer_time_are_no_chattering() -> None:
    operated = Operated()
    for opened, closed in ((0, 68), (70, 72), (76, 78)):
        operated.see(opened, finding(opened)).see(closed)
    assert operated.transitions == [OPENED, CLEARED] * 3
    assert len(operated.record.episodes) == 1


def test_a_silence_is_never_held_open() -> None:
    operated = Operated()
    for second in (0, 40, 80, 120):
        at_us = start_of(0) + second * 1_000_000
        operated.report(at_us, silence(Level.ALARM, at_us, at_us + 30_000_000))
        operated.report(at_us + 35_000_000, silence(Level.OK, at_us, at_us + 35_000_000))
    assert operated.transitions == [OPENED, CLEARED] * 4


def test_a_silence_mutes_the_robots_other_episodes_until_it_speaks() -> None:
    quiet_us = start_of(1)
    operated = Operated().see(0, finding(0)).report(quiet_us, silence(Level.ALARM, quiet_us, start_of(5)))
    assert operated.transitions == [OPENED, OPENED], "the next pulse tells who speaks for whom"
    operated.pulse(start_of(5)).pulse(start_of(6))
    muted = operated.told[-1]
    assert (muted.transition, muted.rule, muted.parent) == (Transition.ADOPTED, LIMIT, operated.told[1].episode_id)
    assert (muted.is_muted, muted.state) == (True, AlarmState.UNACKNOWLEDGED_ACTIVE)
    operated.report(start_of(7), silence(Level.OK, quiet_us, start_of(7)))
    assert operated.transitions[3:] == [CLEARED, Transition.RELEASED]
    assert operated.told[3].state is AlarmState.NORMAL, "the end of a silence asks nobody for anything"
    assert (operated.told[-1].parent, operated.told[-1].rule) == ("", LIMIT)


def test_what_ended_meanwhile_is_not_released_first() -> None:
    quiet_us = start_of(1)
    operated = Operated().see(0, finding(0)).report(quiet_us, silence(Level.ALARM, quiet_us, start_of(5)))
    operated.pulse(start_of(5)).pulse(start_of(6))
    operated.report(start_of(7), silence(Level.OK, quiet_us, start_of(7)), at_window(6))
    assert operated.transitions[3:] == [CLEARED, CLEARED], "the silence, then the heat: nobody is called"


def test_a_silence_that_its_shard_forgot_ends_with_the_next_frame() -> None:
    quiet_us = start_of(1)
    operated = Operated().see(0, finding(0)).report(quiet_us, silence(Level.ALARM, quiet_us, start_of(5)))
    operated.see(8)
    assert [(a.rule, a.transition) for a in operated.told[2:]] == [(SILENCE, CLEARED), (LIMIT, CLEARED)]


def test_a_baseline_and_a_confidence_are_told() -> None:
    operated = Operated().see(0, finding(0, baseline=40.5, confidence=0.9))
    assert (operated.told[0].baseline, operated.told[0].confidence) == (40.5, 0.9)
