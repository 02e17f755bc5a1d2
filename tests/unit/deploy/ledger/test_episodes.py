"""Episodes against what robots did: each once, in order, and the same on the topic."""

import pytest

from deploy.ledger import episodes
from deploy.ledger.plan import Interval, Plan
from deploy.ledger.verdict import Check
from schemas.anomaly import AlarmState, Anomaly, Transition
from schemas.health import Status

PLAN = Plan(seed=3, start_us=1_760_000_000_000_000, rate=100, seconds=10, robots=10)
HOT = Interval(3, 1, PLAN.start_us + 3_000_000, PLAN.start_us + 7_000_000)


def row(episode_id="e", number=1, transition="opened", first_us=HOT.from_us, rule="limit", component="joint/1"):
    return {
        "robot_id": PLAN.codes[3], "episode_id": episode_id, "number": number, "transition": transition,
        "first_us": first_us, "rule": rule, "component": component, "signal": "s", "status": Status.OFF_SPEC,
        "value": 95.5, "limit_value": 90.0, "last_us": first_us, "count": 1, "text": "hot", "parent": "",
        "state": AlarmState.UNACKNOWLEDGED_ACTIVE, "active": True, "actor": "", "note": "",
    }  # fmt: skip


def message(**changes) -> Anomaly:
    fields = row(**changes)
    return Anomaly(
        v=1, episode=1, rule_version=1, unit="", live=True, software="", scenario="",
        limit=fields.pop("limit_value"), **fields | {"transition": Transition(fields["transition"])},
    )  # fmt: skip


def wrong_episodes(*rows) -> int:
    check = Check("")
    episodes.episodes(PLAN, [HOT], set(), rows, check)
    return check.wrong


def test_an_expected_episode_is_there_once():
    assert wrong_episodes(row(), row(number=2, transition="cleared")) == 0
    assert wrong_episodes() == 1
    assert wrong_episodes(row(), row("other")) == 1
    assert wrong_episodes(row(), row("other", component="joint/2")) == 1
    assert wrong_episodes(row(first_us=HOT.to_us + 1)) == 1
    assert wrong_episodes(row(), row("other", rule="silence", component="robot")) == 0


@pytest.mark.parametrize(
    ("kinds", "wrong"),
    [
        (["opened", "updated", "cleared", "opened", "cleared"], 0),
        (["opened", "adopted", "acknowledged", "updated", "released", "cleared", "acknowledged", "retired"], 0),
        (["acknowledged", "opened"], 1),
        (["opened", "cleared", "acknowledged", "updated"], 1),
        (["cleared"], 1),
        (["opened", "opened"], 1),
        (["opened", "cleared", "updated"], 1),
    ],
)
def test_transitions_follow_each_other(kinds, wrong):
    check = Check("")
    episodes.transitions([row(number=n, transition=kind) for n, kind in enumerate(kinds, 1)], check)
    assert check.wrong == wrong


def test_a_number_that_is_missing_or_there_twice_is_found():
    for numbers in ((1, 3), (2,), (1, 1)):
        check = Check("")
        episodes.transitions([row(number=n) for n in numbers], check)
        assert check.wrong == 1, numbers


def test_what_ended_long_ago_must_be_cleared():
    for rows, wrong in (
        ([row()], 1),
        ([row(), row(number=2, transition="cleared"), row(number=3, transition="retired")], 0),
    ):
        check = Check("")
        episodes.cleared(PLAN, [HOT], HOT.to_us + 1, rows, check)
        assert check.wrong == wrong
    check = Check("")
    episodes.cleared(PLAN, [HOT], HOT.to_us - 1, [row()], check)
    assert check.wrong == 0


def test_the_topic_may_repeat_a_transition_but_not_change_it_nor_lack_it():
    for told, wrong in (
        ([message(), message()], 0),
        ([], 1),
        ([message(), message(number=2)], 1),
        ([message(), message(first_us=5)], 1),
        ([message(first_us=5)], 1),
    ):
        check = Check("")
        episodes.topic(told, [row()], check)
        assert check.wrong == wrong, told
