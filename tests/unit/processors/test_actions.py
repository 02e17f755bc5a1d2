"""What people do about episodes: once, in their name, and never without an effect that is said."""

from typing import Any

import pytest

from processors import actions
from processors.actions import DEFAULT_SHELF_US, LONGEST_SHELF_US, REMEMBERED
from processors.findings import DRIFT, LIMIT, Level, Report
from schemas.action import Action, Kind
from schemas.anomaly import AlarmState, Transition
from schemas.errors import RejectError
from support.assess import start_of
from support.conditions import ME, Operated, finding

NOW_US = start_of(2)
OTHER = {"component": "joint/4"}


def hot() -> Operated:
    """Joints 3 and 4."""
    return Operated().see(0, finding(0), finding(0, **OTHER))


def test_a_deed_carries_who_did_it_when_and_why() -> None:
    operated = hot().do(Kind.ACKNOWLEDGE, NOW_US, component="joint/3", note="new belt ordered")
    told = operated.told[-1]
    assert (told.transition, told.number, told.component) == (Transition.ACKNOWLEDGED, 2, "joint/3")
    assert (told.actor, told.note, told.acted_us) == ("Ada", "new belt ordered", NOW_US)
    assert told.text == (
        "Acknowledged by Ada: new belt ordered. Joint 3 temperature is 95 °C, above its alarm limit of 90 °C, "
        "since 2025-10-09 08:53:20 UTC."
    )


def test_the_same_action_again_changes_nothing() -> None:
    operated = hot()
    action = Action(
        v=1, id="a", robot_id=ME.code, kind=Kind.COMMENT, actor="Ada", time_us=NOW_US, note="?", component="joint/3"
    )
    once = operated.take(action, NOW_US).record
    assert operated.take(action, NOW_US + 5).record == once
    assert operated.transitions.count(Transition.COMMENTED) == 1


def test_only_the_last_actions_are_remembered() -> None:
    operated = hot()
    for _ in range(REMEMBERED + 9):
        operated.do(Kind.COMMENT, NOW_US, note="again")
    assert len(operated.record.acted) == REMEMBERED
    assert operated.record.acted[-1] == f"a-{REMEMBERED + 9}"


def test_an_action_is_about_an_episode_a_component_or_all_of_the_robot() -> None:
    for about, count in (({}, 2), ({"component": "joint/4"}, 1)):
        assert hot().do(Kind.ACKNOWLEDGE, NOW_US, **about).transitions.count(Transition.ACKNOWLEDGED) == count
    operated = hot()
    operated.do(Kind.ACKNOWLEDGE, NOW_US, episode_id=operated.record.episodes[1].id)
    assert operated.told[-1].component == "joint/4"
    assert operated.transitions.count(Transition.ACKNOWLEDGED) == 1


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        (Kind.ACKNOWLEDGE, {"episode_id": "unknown"}, "no_episode"),
        (Kind.SHELVE, {"component": "battery"}, "no_episode"),
        (Kind.SHELVE, {"until_us": NOW_US}, "no_effect"),
        (Kind.UNSHELVE, {}, "no_effect"),
        (Kind.COMMENT, {}, "no_effect"),
        (Kind.IN_SERVICE, {}, "no_effect"),
        (Kind.RELEASE, {"parent": "f", "component": "joint/3"}, "no_effect"),
    ],
)
def test_what_changes_nothing_says_why(kind: Kind, changes: dict[str, Any], reason: str) -> None:
    operated = hot()
    if kind is Kind.RELEASE:
        changes = {"parent": "f", "episode_id": operated.record.episodes[0].id}
    before = operated.record
    with pytest.raises(RejectError) as caught:
        operated.do(kind, NOW_US, **changes)
    assert (caught.value.reason, operated.record) == (reason, before)


def test_an_acknowledgement_twice_has_no_second_effect() -> None:
    operated = hot().do(Kind.ACKNOWLEDGE, NOW_US)
    with pytest.raises(RejectError, match="changes nothing"):
        operated.do(Kind.ACKNOWLEDGE, NOW_US)


@pytest.mark.parametrize(
    ("until_us", "expected_us"),
    [
        (-1, NOW_US + DEFAULT_SHELF_US),
        (NOW_US + 60_000_000, NOW_US + 60_000_000),
        (NOW_US + 2 * LONGEST_SHELF_US, NOW_US + LONGEST_SHELF_US),
    ],
)
def test_a_shelf_has_an_end_whatever_is_asked_and_whatever_the_actors_clock(
    until_us: int, expected_us: int
) -> None:
    operated = hot()
    action = Action(v=1, id="a", robot_id=ME.code, kind=Kind.SHELVE, actor="Ada", time_us=2**52, until_us=until_us)
    operated.take(action, NOW_US)
    assert {e.shelved_us for e in operated.record.episodes} == {expected_us}
    assert (operated.told[-1].until_us, operated.told[-1].acted_us) == (expected_us, NOW_US)


def test_off_the_shelf_an_episode_calls_again() -> None:
    operated = hot().do(Kind.ACKNOWLEDGE, NOW_US).do(Kind.SHELVE, NOW_US).do(Kind.UNSHELVE, NOW_US)
    assert operated.state is AlarmState.UNACKNOWLEDGED_ACTIVE


def test_a_comment_on_what_ended_is_kept_too() -> None:
    operated = hot().do(Kind.ACKNOWLEDGE, NOW_US).see(3)
    operated.do(Kind.COMMENT, start_of(4), note="it was the belt", episode_id=operated.episode.id)
    told = operated.told[-1]
    assert (told.transition, told.note, told.active) == (Transition.COMMENTED, "it was the belt", False)


def test_nothing_of_a_component_out_of_service_calls_anybody_until_it_is_in_service_again() -> None:
    operated = Operated().see(0, finding(0)).do(Kind.OUT_OF_SERVICE, NOW_US, component="joint/3")
    operated.see(3).see(60, finding(60)).see(62, finding(62, **OTHER), finding(62, first_us=start_of(60)))
    muted = {(a.component, a.transition, a.is_muted) for a in operated.told[1:]}
    assert muted == {
        ("joint/3", Transition.OUT_OF_SERVICE, True), ("joint/3", Transition.CLEARED, False),
        ("joint/3", Transition.OPENED, True), ("joint/4", Transition.OPENED, False),
    }  # fmt: skip
    assert operated.told[2].state is AlarmState.NORMAL, "and its end asks nobody for anything"
    operated.do(Kind.IN_SERVICE, start_of(63), component="joint/3")
    last = operated.told[-1]
    assert (last.transition, last.state) == (Transition.IN_SERVICE, AlarmState.UNACKNOWLEDGED_ACTIVE)
    assert operated.record.services == ()


def test_a_robot_is_taken_out_of_service_before_anything_is_wrong_with_it() -> None:
    operated = Operated().do(Kind.OUT_OF_SERVICE, NOW_US).see(3, finding(3), finding(3, **OTHER))
    assert [a.state for a in operated.told] == [AlarmState.OUT_OF_SERVICE] * 2
    with pytest.raises(RejectError, match="already"):
        operated.do(Kind.OUT_OF_SERVICE, NOW_US)
    operated.do(Kind.OUT_OF_SERVICE, NOW_US, component="joint/3").do(Kind.IN_SERVICE, start_of(4))
    assert operated.transitions.count(Transition.IN_SERVICE) == 2
    assert operated.record.services == ()


def test_what_ended_before_its_component_went_out_of_service_is_off_the_list() -> None:
    operated = Operated().see(0, finding(0)).see(2).do(Kind.OUT_OF_SERVICE, start_of(3), component="joint/3")
    assert operated.state is AlarmState.NORMAL


def test_a_fleets_episode_speaks_for_those_that_it_adopted_and_their_end_needs_no_acknowledgement() -> None:
    operated = hot()
    adopted, other = operated.record.episodes
    operated.do(Kind.ADOPT, NOW_US, episode_id=adopted.id, parent="fleet")
    assert (operated.told[-1].transition, operated.told[-1].parent) == (Transition.ADOPTED, "fleet")
    operated.see(3)
    assert [(a.component, a.is_muted, a.state) for a in operated.told[-2:]] == [
        ("joint/3", True, AlarmState.NORMAL), ("joint/4", False, AlarmState.UNACKNOWLEDGED_CLEARED),
    ]  # fmt: skip
    with pytest.raises(RejectError, match="changes nothing"):
        operated.do(Kind.ADOPT, NOW_US, episode_id=other.id, parent="fleet")


def test_a_released_episode_speaks_for_itself_again() -> None:
    operated = hot()
    about = {"episode_id": operated.record.episodes[0].id, "parent": "fleet"}
    operated.do(Kind.ADOPT, NOW_US, **about).do(Kind.RELEASE, NOW_US, **about)
    assert (operated.told[-1].transition, operated.told[-1].is_muted) == (Transition.RELEASED, False)


def test_a_refused_action_is_remembered_too() -> None:
    action = Action(v=1, id="a", robot_id=ME.code, kind=Kind.ACKNOWLEDGE, actor="Ada", time_us=NOW_US)
    record = actions.remembering(Operated().record, action)
    operated = Operated(record).see(0, finding(0)).take(action, NOW_US)
    assert operated.state is AlarmState.UNACKNOWLEDGED_ACTIVE


def test_another_part_ends_what_was_held_against_the_past_of_the_old_one_and_nothing_else() -> None:
    operated = hot()
    slow = Report(
        rules=(DRIFT,),
        until_us=NOW_US,
        findings=[finding(0, Level.WARN, rule=DRIFT, side="", component=f"joint/{joint}") for joint in (3, 4)],
    )
    operated.report(NOW_US, slow).do(Kind.REPLACED, NOW_US, component="joint/3", note="new gearbox")
    told = operated.told[-1]
    assert (told.rule, told.component, told.transition) == (DRIFT, "joint/3", Transition.CLEARED)
    assert (told.actor, told.note, told.state) == ("Ada", "new gearbox", AlarmState.NORMAL)
    still_open = [(episode.rule, episode.component) for episode in operated.record.open]
    assert still_open == [(LIMIT, "joint/3"), (LIMIT, "joint/4"), (DRIFT, "joint/4")]
    assert Operated().do(Kind.REPLACED, NOW_US, component="joint/3").told == [], (
        "nor need anything be wrong with it"
    )
