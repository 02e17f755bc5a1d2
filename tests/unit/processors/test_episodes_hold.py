"""Whatever rules, people and time do to a robot's episodes, in any order: what holds of all that is told."""

from contextlib import suppress
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors import episodes, timers
from processors.actions import LONGEST_SHELF_US
from processors.episodes import NEVER
from processors.findings import LIMIT, Level
from schemas.action import Kind
from schemas.anomaly import AlarmState, Anomaly, Transition
from schemas.errors import RejectError
from schemas.health import SEVERITY
from support.assess import start_of
from support.conditions import Operated, finding, silence

_PEOPLE = [kind for kind in Kind if kind not in (Kind.ADOPT, Kind.RELEASE)]
_levels = st.sampled_from([Level.OK, Level.WARN, Level.ALARM])
_ops = st.one_of(
    st.tuples(st.just("window"), _levels, _levels),
    st.tuples(st.just("act"), st.sampled_from(_PEOPLE), st.sampled_from(["", "joint/3", "joint/4"])),
    st.tuples(st.just("pulse"), st.sampled_from([0, 400, 30_000, 700_000]), st.none()),
    st.tuples(st.just("silence"), st.none(), st.none()),
)


def play(script: list[tuple[Any, Any, Any]]) -> Operated:
    """Each step in the window after the last one's; a pulse may lie days after it."""
    operated, number = Operated(), 0
    for op, one, two in script:
        number += 2
        if op == "window":
            levels = {"joint/3": one, "joint/4": two}
            operated.see(number, *(finding(number, level, component=c) for c, level in levels.items() if level))
        elif op == "act":
            with suppress(RejectError):
                operated.do(one, start_of(number), component=two, note="seen")
        elif op == "pulse":
            number += one
            operated.pulse(start_of(number))
        else:
            last_us = start_of(number)
            operated.report(last_us, silence(Level.ALARM, last_us, start_of(number + 1)))
            number += 1
    return operated


def by_episode(told: list[Anomaly]) -> dict[str, list[Anomaly]]:
    found: dict[str, list[Anomaly]] = {}
    for anomaly in told:
        found.setdefault(anomaly.episode_id, []).append(anomaly)
    return found


@settings(deadline=None)
@given(st.lists(_ops, max_size=20))
def test_transitions_are_numbered_without_a_gap_and_the_last_one_tells_the_state(script: list[Any]) -> None:
    operated = play(script)
    told = by_episode(operated.told)
    for own in told.values():
        assert [anomaly.number for anomaly in own] == list(range(1, len(own) + 1))
        assert own[0].transition is Transition.OPENED
    for episode in operated.record.episodes:
        last = told[episode.id][-1]
        assert (last.state, last.active) == (episodes.state_of(operated.record, episode), episode.is_open)
    assert episodes.restore(episodes.snapshot(operated.record)) == operated.record


@settings(deadline=None)
@given(st.lists(_ops, max_size=20))
def test_nobody_acknowledges_but_people_and_a_rise_takes_it_away(script: list[Any]) -> None:
    for own in by_episode(play(script).told).values():
        for before, after in pairwise(own):
            if after.state is AlarmState.ACKNOWLEDGED_ACTIVE and before.state is not after.state:
                assert after.transition is Transition.ACKNOWLEDGED
            if before.active and after.active and SEVERITY[after.status] > SEVERITY[before.status]:
                assert after.state is not AlarmState.ACKNOWLEDGED_ACTIVE


@settings(deadline=None)
@given(st.lists(_ops, max_size=20))
def test_all_that_waits_is_over_after_a_week(script: list[Any]) -> None:
    """Shelves, ends that nobody acknowledges, chattering: without another word nothing is left but what holds."""
    operated = play(script)
    for _ in range(3):
        operated.pulse(start_of(20 * 700_100) + LONGEST_SHELF_US)
    assert timers.wake_us(operated.record) == NEVER
    for episode in operated.record.episodes:
        assert not episode.is_shelved
        assert episode.is_open or not episode.is_listed
        assert not (episode.is_open and episode.quiet), "what was held open for quiet is over"


@settings(deadline=None)
@given(st.lists(_ops, max_size=20))
def test_only_what_was_told_as_a_deed_has_an_actor(script: list[Any]) -> None:
    rules = {Transition.OPENED, Transition.UPDATED, Transition.CLEARED, Transition.RELEASED, Transition.ADOPTED}
    for anomaly in play(script).told:
        if anomaly.transition in rules or anomaly.transition is Transition.RETIRED:
            assert anomaly.actor == ""
        assert anomaly.rule == LIMIT or anomaly.parent == ""
