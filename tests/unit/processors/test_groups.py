"""Floods become parents: when one opens, whom it speaks for, what is merged, when it ends."""

import msgspec

from processors.groups import CALL_AFTER_US, CLOSE_BELOW
from schemas.action import Kind
from schemas.anomaly import FLEET, About, AlarmState, Transition, decode_anomaly, encode_anomaly
from schemas.health import Status
from support.flood import CURRENT, HOT, MINUTE, SILENT, TRACKING, Played, flood, opened, then


def test_ten_robots_are_no_flood_and_eleven_are_one_parent() -> None:
    ten, eleven = Played(), Played()
    ten.at(0, *flood(10))
    eleven.at(0, *flood(11))
    assert ten.told == []
    (parent,) = eleven.told
    assert (parent.transition, parent.about, parent.robot_id) == (Transition.OPENED, About.FLEET, FLEET)
    assert parent.value == 11.0
    assert {action.parent for action in eleven.actions} == {parent.episode_id}
    assert len(eleven.actions) == 11


def test_a_parent_says_who_and_what_in_one_sentence() -> None:
    played = Played()
    played.at(0, *flood(12, software="4.2.1"))
    assert played.told[0].text == (
        "12 robots of model ZZTESTMODEL1, software 4.2.1: temperature above its limit, "
        "since 2025-10-09 08:53:20 UTC."
    )
    assert played.told[0].status is Status.OFF_SPEC
    assert decode_anomaly(encode_anomaly(played.told[0])[0]) == played.told[0]


def test_one_robot_with_many_hot_joints_is_no_flood() -> None:
    played = Played()
    played.at(0, *(opened(1, component=f"joint/{n}", episode_id=f"e{n}") for n in range(1, 30)))
    assert played.told == []


def test_what_comes_over_more_than_ten_minutes_is_no_flood() -> None:
    played = Played()
    for number in range(40):
        played.at(number * MINUTE, opened(number))
    assert played.told == []


def test_late_data_makes_no_flood() -> None:
    played = Played()
    played.at(0, *(msgspec.structs.replace(a, live=False) for a in flood(20)))
    assert played.told == []


def test_what_is_shelved_makes_no_flood() -> None:
    played = Played()
    played.at(0, *(msgspec.structs.replace(a, state=AlarmState.SHELVED) for a in flood(20)))
    assert played.told == []


def test_a_robot_that_comes_later_joins_and_is_told_so_without_an_event_of_its_own() -> None:
    played = Played()
    played.at(0, *flood(20))
    outcome = played.at(5, opened(50))
    assert [(a.kind, a.robot_id) for a in outcome.actions] == [(Kind.ADOPT, opened(50).robot_id)]
    assert outcome.anomalies == []


def test_a_parent_that_grows_is_told_at_doublings_not_at_each_member() -> None:
    played = Played()
    for number in range(1000):
        played.at(number / 10, opened(number))
    assert played.open_parents == 1
    assert len(played.told) < 15
    played.at(10 * MINUTE)
    assert played.told[-1].value == 1000.0


def test_a_robot_of_another_software_stays_out_of_a_releases_parent() -> None:
    played = Played()
    played.at(0, *flood(30, software="2.0"), opened(99, software="1.9"))
    assert "software 2.0" in played.told[0].text
    assert len(played.actions) == 30
    played.at(30, opened(98, software="1.9"))
    assert len(played.actions) == 30


def test_a_heat_wave_over_all_models_is_one_parent() -> None:
    played = Played()
    models = [f"MODEL{n}" for n in range(10)]
    played.at(0, *(opened(n, model=models[n % 10], software=f"{n % 7}.0") for n in range(1000)))
    (parent,) = played.told
    assert parent.text.startswith("1000 robots: temperature above its limit")


def test_a_heat_wave_that_begins_with_one_model_widens_the_same_parent() -> None:
    played = Played()
    played.at(0, *flood(20, model="MODEL1"))
    played.at(60, *flood(20, model="MODEL2", software="2.0"))
    assert [(t, v) for _, t, v in played.parents] == [("opened", 20.0), ("updated", 40.0)]
    assert "ZZTESTMODEL1, software 1.0 and of model ZZTESTMODEL2, software 2.0" in played.told[-1].text


def test_a_parent_that_gets_wider_takes_in_those_whom_it_left_out_before() -> None:
    played = Played()
    played.at(0, *flood(20), *flood(20, condition=CURRENT))
    played.at(30, *(opened(number, CURRENT, model="MODEL2") for number in range(5)))
    assert len(played.actions) == 40
    played.at(60, *(opened(number, model="MODEL2") for number in range(20)))
    assert played.open_parents == 1
    assert len(played.actions) == 65


def test_a_bad_release_that_upsets_many_signals_is_one_parent_that_names_them() -> None:
    played = Played()
    for at, condition in enumerate((HOT, CURRENT, TRACKING)):
        played.at(60 * at, *(opened(n + 400 * at, condition, software="4.2.1") for n in range(400)))
    assert played.open_parents == 1
    text = played.told[-1].text
    assert text.startswith("1200 robots of model ZZTESTMODEL1, software 4.2.1: ")
    assert "current drifts, temperature above its limit, tracking error has changed all at once" in text
    assert played.told[-1].signal == ""


def test_the_same_robots_with_another_trouble_are_the_same_parent_whatever_their_software() -> None:
    played = Played()
    for at, condition in enumerate((HOT, CURRENT)):
        played.at(at, *(opened(n, condition, model=f"MODEL{n % 5}", software=f"{n % 3}") for n in range(100)))
    assert played.open_parents == 1


def test_what_is_about_the_data_and_what_is_about_the_machine_are_two_parents() -> None:
    played = Played()
    played.at(0, *flood(50), *flood(50, condition=SILENT))  # type: ignore[arg-type]
    assert played.open_parents == 2


def test_two_troubles_that_share_neither_robots_nor_software_are_two_parents() -> None:
    played = Played()
    played.at(0, *flood(20))
    played.at(0, *(opened(n, CURRENT, model="MODEL2", software="9") for n in range(20)))
    assert played.open_parents == 2


def test_a_parent_ends_when_few_are_left_and_these_speak_for_themselves_again() -> None:
    played = Played()
    hot = flood(20)
    played.at(0, *hot)
    cooling = [then(a, Transition.CLEARED, number=3) for a in hot]
    played.at(60, *cooling[: 20 - CLOSE_BELOW])
    assert played.open_parents == 1
    outcome = played.at(62, cooling[20 - CLOSE_BELOW])
    assert played.told[-1].transition is Transition.CLEARED
    assert "4 robots are left, which speak for themselves again" in played.told[-1].text
    assert [a.kind for a in outcome.actions] == [Kind.RELEASE] * (CLOSE_BELOW - 1)
    assert played.calls == 1
    played.at(62 + CALL_AFTER_US / 1e6)
    assert played.calls == 1 + CLOSE_BELOW - 1


def test_what_comes_back_within_ten_minutes_is_the_same_parent_opened_again() -> None:
    played = Played()
    hot = flood(20)
    played.at(0, *hot)
    played.at(60, *(then(a, Transition.CLEARED, number=3) for a in hot))
    played.at(120, *(then(a, Transition.OPENED, number=4) for a in hot))
    assert [t for _, t, _ in played.parents] == ["opened", "cleared", "opened"]
    assert len({parent for parent, _, _ in played.parents}) == 1
    assert [a.number for a in played.told] == [1, 2, 3]


def test_an_episode_that_comes_back_naming_a_parent_that_has_ended_is_released() -> None:
    played = Played()
    hot = flood(20)
    played.at(0, *hot)
    parent = played.told[0].episode_id
    played.at(60, *(then(a, Transition.CLEARED, number=3, parent=parent) for a in hot))
    outcome = played.at(90, then(hot[0], Transition.OPENED, number=4, parent=parent))
    assert [(a.kind, a.parent) for a in outcome.actions] == [(Kind.RELEASE, parent)]


def test_a_worse_member_makes_its_parent_worse_and_calls_again() -> None:
    played = Played()
    hot = flood(20)
    played.at(0, *hot)
    played.at(30, then(hot[3], Transition.UPDATED, number=3, status=Status.FAILURE))
    assert [(a.transition, a.status) for a in played.told] == [
        (Transition.OPENED, Status.OFF_SPEC),
        (Transition.UPDATED, Status.FAILURE),
    ]
    played.at(60)
    assert played.calls == 2


def test_a_parent_that_gets_wider_while_it_opens_calls_once() -> None:
    played = Played()
    played.at(0, *flood(20))
    played.at(4, *flood(20, model="MODEL2"))
    played.at(8, *(opened(n, CURRENT) for n in range(20)))
    played.at(60)
    assert [t for _, t, _ in played.parents] == ["opened", "updated", "updated"]
    assert played.calls == 1


def test_a_parent_takes_no_robot_an_hour_after_its_last_one() -> None:
    played = Played()
    played.at(0, *flood(20))
    assert played.at(59 * MINUTE, opened(50)).actions
    assert not played.at(120 * MINUTE, opened(51)).actions
