"""Who answers the alarms of the demo's past, and which."""

from typing import Any

import msgspec
import pytest

from ingest.answers import ACTOR, Answers
from ingest.fleet import Fault
from ingest.stories import Story, stories
from ingest.traits import robot
from schemas.action import Kind, check_action
from schemas.anomaly import ANOMALY_VERSION, Anomaly, Transition
from schemas.health import Status

LIVE_US = 1_760_000_000_000_000
WARM = robot(1, 10)
ANSWERED = Story(WARM, Fault.WARM, 7200.0, None, Kind.ACKNOWLEDGE, "slower until tonight")
OPENED = Anomaly(
    v=ANOMALY_VERSION, robot_id=WARM.code, episode_id="e1", episode=1, number=1, transition=Transition.OPENED,
    rule="limit", rule_version=1, component="joint/11", signal="joint_temperature_c", status=Status.OFF_SPEC,
    value=84.0, unit="°C", limit=80.0, first_us=LIVE_US - 1, last_us=LIVE_US - 1, count=2, live=True,
    software="", scenario="", text="",
)  # fmt: skip


def _changed(**changes: Any) -> Anomaly:
    return msgspec.structs.replace(OPENED, **changes)


def test_an_opening_of_the_past_is_answered_once_by_the_demo() -> None:
    answers = Answers([ANSWERED], LIVE_US)
    action = answers.take(OPENED, 5)
    assert action is not None
    check_action(action)
    assert (action.kind, action.episode_id, action.robot_id) == (Kind.ACKNOWLEDGE, "e1", WARM.code)
    assert (action.actor, action.note, action.time_us) == (ACTOR, "slower until tonight", 5)
    assert answers.left == 0
    assert answers.take(OPENED, 6) is None


@pytest.mark.parametrize(
    "other",
    [
        _changed(transition=Transition.UPDATED),
        _changed(first_us=LIVE_US),
        _changed(signal="joint_wear"),
        _changed(robot_id=robot(1, 11).code),
    ],
    ids=["an update", "what began live", "another signal", "another robot"],
)
def test_what_was_not_planned_is_left_to_people(other: Anomaly) -> None:
    answers = Answers([ANSWERED], LIVE_US)
    assert answers.take(other, 5) is None
    assert answers.left == 1


def test_the_demo_leaves_some_of_its_alarms_to_people_and_shelves_one() -> None:
    told = [
        story
        for story in stories([robot(1, number) for number in range(1, 21)])
        if story.fault is not Fault.RELEASE
    ]
    kinds = [story.answer for story in told]
    assert Answers(told, LIVE_US).left == len(told) - kinds.count(None)
    assert kinds.count(Kind.SHELVE) == 1
    assert kinds.count(None) >= 3
    assert all(story.note for story in told if story.answer)
