"""Floods become parents: whom they call, and whom they do not."""

import msgspec

from schemas.action import check_action
from schemas.anomaly import Transition
from support.flood import MINUTE, Played, at_us, flood, opened, then


def test_ten_thousand_robots_call_once_and_ten_lone_ones_ten_times() -> None:
    many, few = Played(), Played()
    many.at(0, *flood(10_000))
    few.at(0, *flood(10))
    for played in (many, few):
        played.at(60)
    assert (many.calls, few.calls) == (1, 10)
    assert not many.fleet.head.load.flood


def test_eleven_unrelated_alarms_are_a_flood_until_fewer_than_five_are_left() -> None:
    played = Played()
    signals = [("limit", f"signal_{n}", "above") for n in range(11)]
    played.at(0, *(opened(n, signals[n]) for n in range(7)))
    played.at(5 * MINUTE, *(opened(n, signals[n]) for n in range(7, 11)))
    played.at(6 * MINUTE)
    assert (played.told, played.calls, played.fleet.head.load.flood) == ([], 11, True)
    played.at(11 * MINUTE)
    load = played.fleet.head.load
    assert (len(load.calls), load.flood) == (4, False)
    assert load.flood_us == at_us(11 * MINUTE) - at_us(6 * MINUTE)


def test_what_ends_before_anybody_is_called_calls_nobody() -> None:
    played = Played()
    played.at(0, opened(1))
    played.at(4, then(opened(1), Transition.CLEARED))
    played.at(60)
    assert played.calls == 0


def test_a_repeat_of_its_opening_does_not_bring_an_episode_back() -> None:
    played = Played()
    hot = flood(20)
    played.at(0, *hot)
    played.at(60, *(then(a, Transition.CLEARED, number=3) for a in hot))
    played.at(65, *hot)
    assert played.open_parents == 0
    assert played.calls == 1


def test_an_episode_that_comes_back_within_its_parent_is_still_part_of_it_and_is_not_told_again() -> None:
    played = Played()
    hot = flood(20)
    played.at(0, *hot)
    parent = played.told[0].episode_id
    played.at(30, then(hot[0], Transition.CLEARED, number=3, parent=parent))
    assert played.at(60, then(hot[0], Transition.OPENED, number=4, parent=parent)).actions == []
    assert len(played.fleet.robots[parent]) == 20


def test_news_that_never_ends_does_not_put_off_the_call() -> None:
    played = Played()
    played.at(0, *flood(20))
    for number in range(1, 5):
        played.at(5 * number, *flood(20, model=f"MODEL{number + 1}", software=f"{number}"))
    assert played.calls == 1


def test_what_the_silence_of_its_robot_speaks_for_makes_no_flood_and_calls_nobody() -> None:
    played = Played()
    played.at(0, *(msgspec.structs.replace(a, parent="its silence") for a in flood(20)))
    played.at(60)
    assert (played.told, played.calls) == ([], 0)


def test_every_action_is_one_that_the_assessor_takes() -> None:
    played = Played()
    hot = flood(20)
    played.at(0, *hot)
    played.at(60, *(then(a, Transition.CLEARED, number=3) for a in hot[:18]))
    for action in played.actions:
        check_action(action)
    assert len({action.id for action in played.actions}) == len(played.actions)
