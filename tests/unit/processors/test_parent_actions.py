"""What people and time do to an episode of the fleet."""

from typing import Any

import pytest

from processors.actions import LONGEST_SHELF_US
from processors.groups import step
from processors.members import Asked
from schemas.action import ACTION_VERSION, Action, Kind, check_action
from schemas.anomaly import FLEET, AlarmState, Transition
from schemas.errors import RejectError
from schemas.health import Status
from support.flood import Played, at_us, opened, then

HOUR = 3600
HOT = [opened(number) for number in range(20)]


def flooded() -> tuple[Played, str]:
    played = Played()
    played.at(0, *HOT)
    return played, played.told[0].episode_id


def test_acknowledged_it_is_told_with_who_and_why() -> None:
    played, parent = flooded()
    played.act(30, Kind.ACKNOWLEDGE, parent, note="the hall is hot")
    told = played.told[-1]
    assert (told.transition, told.state, told.actor) == (
        Transition.ACKNOWLEDGED, AlarmState.ACKNOWLEDGED_ACTIVE, "Kim",
    )  # fmt: skip
    assert told.text.startswith("Acknowledged by Kim: the hall is hot. 20 robots of model ZZTESTMODEL1")
    assert told.acted_us == at_us(30)


def test_acknowledged_it_ends_and_nothing_is_left_to_do() -> None:
    played, parent = flooded()
    played.act(30, Kind.ACKNOWLEDGE, parent)
    played.at(60, *(then(a, Transition.CLEARED, number=3) for a in HOT))
    assert played.told[-1].state is AlarmState.NORMAL


def test_a_new_robot_leaves_it_acknowledged_and_a_worse_one_does_not() -> None:
    played, parent = flooded()
    played.act(30, Kind.ACKNOWLEDGE, parent)
    played.at(60, *(opened(number) for number in range(20, 60)))
    assert played.told[-1].state is AlarmState.ACKNOWLEDGED_ACTIVE
    played.at(90, opened(99, status=Status.FAILURE))
    assert played.told[-1].state is AlarmState.UNACKNOWLEDGED_ACTIVE
    played.at(120)
    assert played.calls == 2


def test_shelved_it_calls_nobody_until_the_shelf_ends() -> None:
    played, parent = flooded()
    played.act(30, Kind.SHELVE, parent, until_us=at_us(HOUR))
    assert played.told[-1].state is AlarmState.SHELVED
    played.at(60, opened(99, status=Status.FAILURE))
    assert (played.told[-1].state, played.calls) == (AlarmState.SHELVED, 1)
    played.at(HOUR)
    assert (played.told[-1].transition, played.told[-1].acted_us) == (Transition.UNSHELVED, at_us(HOUR))
    played.at(HOUR + 60)
    assert (played.told[-1].state, played.calls) == (AlarmState.UNACKNOWLEDGED_ACTIVE, 2)


def test_a_shelf_is_never_longer_than_a_week_and_eight_hours_without_a_word() -> None:
    played, parent = flooded()
    played.act(30, Kind.SHELVE, parent)
    assert played.told[-1].until_us == at_us(30 + 8 * HOUR)
    played.act(60, Kind.SHELVE, parent, until_us=at_us(10_000 * HOUR))
    assert played.told[-1].until_us == at_us(60) + LONGEST_SHELF_US
    played.act(90, Kind.UNSHELVE, parent)
    assert played.told[-1].state is AlarmState.UNACKNOWLEDGED_ACTIVE


def test_a_comment_changes_nothing_but_is_told() -> None:
    played, parent = flooded()
    played.act(30, Kind.COMMENT, parent, note="cooling is ordered")
    assert (played.told[-1].note, played.told[-1].state) == (
        "cooling is ordered", AlarmState.UNACKNOWLEDGED_ACTIVE,
    )  # fmt: skip


def test_ended_and_never_acknowledged_it_is_off_the_list_after_a_day() -> None:
    played, _ = flooded()
    played.at(60, *(then(a, Transition.CLEARED, number=3) for a in HOT))
    assert played.told[-1].state is AlarmState.UNACKNOWLEDGED_CLEARED
    played.at(23 * HOUR)
    assert played.told[-1].transition is Transition.CLEARED
    played.at(25 * HOUR)
    assert (played.told[-1].transition, played.told[-1].state) == (Transition.RETIRED, AlarmState.NORMAL)


def test_ended_it_can_still_be_acknowledged() -> None:
    played, parent = flooded()
    played.at(60, *(then(a, Transition.CLEARED, number=3) for a in HOT))
    played.act(90, Kind.ACKNOWLEDGE, parent)
    assert played.told[-1].state is AlarmState.NORMAL
    assert "Over for 20 robots" in played.told[-1].text


def test_the_same_action_again_changes_nothing_and_one_without_effect_is_rejected() -> None:
    played, parent = flooded()
    played.act(30, Kind.ACKNOWLEDGE, parent, id="one")
    again = played.act(31, Kind.ACKNOWLEDGE, parent, id="one")
    assert (again.anomalies, again.rejected) == ([], [])
    other = played.act(32, Kind.ACKNOWLEDGE, parent, id="two")
    assert (other.anomalies, [error.reason for error in other.rejected]) == ([], ["no_effect"])


def test_an_action_about_no_parent_is_rejected_and_the_slice_goes_on() -> None:
    played = Played()
    action = Action(v=1, id="x", robot_id=FLEET, kind=Kind.ACKNOWLEDGE, actor="Kim", time_us=0, episode_id="none")
    outcome = step(played.fleet, [Asked(at_us(1), action)], at_us(9))
    assert [error.reason for error in outcome.rejected] == ["no_episode"]


@pytest.mark.parametrize(
    "wrong", [{"episode_id": ""}, {"kind": Kind.OUT_OF_SERVICE}, {"kind": Kind.ADOPT, "parent": "p"}]
)
def test_what_is_for_robots_is_refused_for_the_fleet(wrong: dict[str, Any]) -> None:
    usual: dict[str, Any] = {
        "v": ACTION_VERSION, "id": "x", "robot_id": FLEET, "kind": Kind.ACKNOWLEDGE, "actor": "Kim", "time_us": 0,
        "episode_id": "e", **wrong,
    }  # fmt: skip
    with pytest.raises(RejectError, match="fleet"):
        check_action(Action(**usual))
