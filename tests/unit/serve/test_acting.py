"""From an operator's words to an action: what it is about, and errors that say what there is to act on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.commands.alarms import state_of
from schemas.action import Kind
from schemas.anomaly import FLEET
from schemas.errors import SettingError
from serve.acting import Wish, actions_of
from serve.database import Alarm
from support.frames import CODE

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NOW_US = 1_777_593_600_000_000


def alarm(episode_id: str = "abc1", **changes: Any) -> Alarm:
    usual: dict[str, Any] = {
        "episode_id": episode_id, "robot_id": CODE, "component": "joint/3", "rule": "limit", "about": "machine",
        "status": "OFF_SPEC", "state": "unacknowledged_active", "active": True, "chattering": False, "parent": "",
        "opened": NOW, "last_sign": NOW, "cleared": None, "shelved_until": None, "count": 1, "actor": "",
        "note": "", "acted": None, "text": "too hot", **changes,
    }  # fmt: skip
    return Alarm(**usual)


def wish(kind: Kind, **changes: Any) -> Wish:
    return Wish(kind=kind, robot_id=CODE, actor="Ada", **changes)


ALARMS = [alarm(), alarm("abd2", component="battery"), alarm("f3", state="shelved", component="joint/4")]


def test_an_episode_is_named_by_the_beginning_of_its_id() -> None:
    (action,), targets = actions_of(wish(Kind.ACKNOWLEDGE, episode="abd"), ALARMS, NOW_US)
    assert (action.episode_id, action.component, [t.component for t in targets]) == ("abd2", "", ["battery"])
    assert (action.actor, action.time_us, action.until_us, action.robot_id) == ("Ada", NOW_US, -1, CODE)


def test_without_an_episode_it_is_about_what_is_listed_of_a_component_or_all_of_the_robot() -> None:
    for component, expected in (("", ["abc1", "abd2"]), ("joint/3", ["abc1"])):
        actions, _ = actions_of(wish(Kind.ACKNOWLEDGE, component=component), ALARMS, NOW_US)
        assert [action.episode_id for action in actions] == expected, "what is shelved cannot be acknowledged"


def test_each_action_has_an_id_of_its_own() -> None:
    assert len({a.id for _ in range(5) for a in actions_of(wish(Kind.ACKNOWLEDGE), ALARMS, NOW_US)[0]}) == 10


def test_a_shelf_lasts_as_long_as_was_said() -> None:
    assert actions_of(wish(Kind.SHELVE, shelf_us=7), ALARMS, NOW_US)[0][0].until_us == NOW_US + 7


def test_another_part_is_about_what_was_held_against_the_old_ones_past() -> None:
    worn = alarm("d4", rule="drift")
    (action,), targets = actions_of(wish(Kind.REPLACED, component="joint/3"), [*ALARMS, worn], NOW_US)
    assert (action.component, action.episode_id, targets) == ("joint/3", "", [worn])
    for nothing in ({}, {"episode": "d4"}):
        with pytest.raises(SettingError, match="give --component"):
            actions_of(wish(Kind.REPLACED, **nothing), [worn], NOW_US)
    with pytest.raises(SettingError, match="another part"):
        actions_of(wish(Kind.REPLACED, component="robot"), [], NOW_US)


def test_a_component_goes_out_of_service_before_anything_is_wrong_with_it() -> None:
    (action,), targets = actions_of(wish(Kind.OUT_OF_SERVICE, component="accuracy"), [], NOW_US)
    assert (action.component, targets) == ("accuracy", [])


def test_by_an_episode_its_component_goes_out_of_service() -> None:
    (action,), targets = actions_of(wish(Kind.OUT_OF_SERVICE, episode="abd"), ALARMS, NOW_US)
    assert (action.component, action.episode_id, len(targets)) == ("battery", "", 1)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"kind": Kind.ACKNOWLEDGE, "episode": "ab"}, "--episode ab: 2 episodes begin so: joint/3 limit"),
        (
            {"kind": Kind.ACKNOWLEDGE, "episode": "zz"},
            "nothing to acknowledge; .* has on its list: joint/3 limit",
        ),
        ({"kind": Kind.UNSHELVE, "component": "battery"}, "unshelve: there is nothing to unshelve"),
        ({"kind": Kind.IN_SERVICE, "episode": "zz"}, "there is nothing to in-service"),
        ({"kind": Kind.COMMENT}, "give --note"),
        ({"kind": Kind.COMMENT, "note": "x" * 3000}, "length <= 2000"),
        ({"kind": Kind.SHELVE, "shelf_us": 8 * 86_400_000_000}, "at most 7d"),
        ({"kind": Kind.SHELVE, "shelf_us": 0}, "more than nothing"),
        ({"kind": Kind.COMMENT, "note": "x", "shelf_us": 5}, "only shelve takes it"),
        ({"kind": Kind.ACKNOWLEDGE, "episode": "a", "component": "joint/3"}, "give one of them"),
        ({"kind": Kind.OUT_OF_SERVICE, "component": "arm"}, "is no component"),
    ],
)
def test_a_wrong_word_is_named_with_what_there_is(words: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingError, match=error):
        actions_of(wish(**words), ALARMS, NOW_US)


def test_of_the_fleets_episodes_the_only_one_is_meant_and_of_several_one_has_to_be_named() -> None:
    one, other = alarm("abc1", robot_id=FLEET, component=FLEET), alarm("abd2", robot_id=FLEET, component=FLEET)
    answer = Wish(kind=Kind.ACKNOWLEDGE, robot_id=FLEET, actor="Ada")
    assert actions_of(answer, [one], NOW_US)[0][0].episode_id == "abc1"
    with pytest.raises(SettingError, match="give one, with --episode"):
        actions_of(answer, [one, other], NOW_US)
    with pytest.raises(SettingError, match="for robots, not for the fleet"):
        actions_of(Wish(kind=Kind.OUT_OF_SERVICE, robot_id=FLEET, actor="Ada", episode="abc"), [one], NOW_US)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "calling"),
        ({"chattering": True}, "calling, chattering"),
        ({"state": "shelved", "shelved_until": NOW + timedelta(hours=2)}, "shelved for 2 h 0 m"),
        ({"parent": "p"}, "part of another"),
        ({"state": "unacknowledged_cleared", "active": False, "chattering": True}, "ended unseen"),
    ],
)
def test_a_state_is_told_in_words(changes: dict[str, Any], words: str) -> None:
    assert state_of(alarm(**changes), NOW) == words
