"""What time does to episodes: shelves end, chattering ends, nobody waits for an acknowledgement for ever."""

from processors import timers
from processors.episodes import NEVER, Record
from processors.findings import Level
from processors.lifecycle import SHORTEST_HOLD_US, UNACKNOWLEDGED_US
from schemas.action import Kind
from schemas.anomaly import AlarmState, Transition
from support.assess import start_of
from support.conditions import Operated, finding, silence


def test_a_shelf_ends_by_itself_and_what_is_still_there_calls_again() -> None:
    operated = Operated().see(0, finding(0)).do(Kind.SHELVE, start_of(1), until_us=start_of(10))
    assert timers.wake_us(operated.record) == start_of(10)
    operated.pulse(start_of(10) - 1)
    assert operated.state is AlarmState.SHELVED
    operated.pulse(start_of(10))
    last = operated.told[-1]
    assert (last.transition, last.state) == (Transition.UNSHELVED, AlarmState.UNACKNOWLEDGED_ACTIVE)
    assert (last.actor, last.acted_us, last.until_us) == ("", start_of(10), -1)


def test_when_a_shelf_ends_what_has_ended_is_normal() -> None:
    operated = Operated().see(0, finding(0)).do(Kind.SHELVE, start_of(1), until_us=start_of(10)).see(3)
    operated.pulse(start_of(10))
    assert operated.state is AlarmState.NORMAL
    assert timers.wake_us(operated.record) == NEVER


def test_an_end_that_nobody_acknowledges_leaves_the_list_after_a_day_by_the_brokers_clock() -> None:
    robots_clock = finding(0, first_us=5, last_us=6)
    operated = Operated().see(0, robots_clock).see(2)
    day_us = start_of(3) + UNACKNOWLEDGED_US
    operated.pulse(day_us - 1)
    assert operated.state is AlarmState.UNACKNOWLEDGED_CLEARED
    operated.pulse(day_us)
    assert (operated.told[-1].transition, operated.state) == (Transition.RETIRED, AlarmState.NORMAL)


def test_what_chatters_ends_when_it_has_been_quiet() -> None:
    operated = Operated()
    for number in (0, 4, 8):
        operated.see(number, finding(number)).see(number + 2)
    operated.pulse(start_of(11) + SHORTEST_HOLD_US - 1)
    assert operated.episode.is_open
    operated.pulse(start_of(11) + SHORTEST_HOLD_US)
    assert (operated.told[-1].transition, operated.state) == (
        Transition.CLEARED, AlarmState.UNACKNOWLEDGED_CLEARED,
    )  # fmt: skip
    assert operated.told[-1].last_us == start_of(11), "its end is when it became quiet"


def test_a_pulse_again_changes_nothing() -> None:
    operated = Operated().see(0, finding(0)).do(Kind.SHELVE, start_of(1), until_us=start_of(10))
    operated.report(start_of(1), silence(Level.ALARM, start_of(1), start_of(5))).pulse(start_of(10))
    told, record = list(operated.told), operated.record
    assert [a.rule for a in told if a.parent] == ["limit"], "unshelved, with its parent"
    operated.pulse(start_of(10))
    assert (operated.told, operated.record) == (told, record)


def test_who_has_nothing_to_wait_for_is_never_woken() -> None:
    assert timers.wake_us(Record()) == NEVER
    assert timers.wake_us(Operated().see(0, finding(0)).record) == NEVER
