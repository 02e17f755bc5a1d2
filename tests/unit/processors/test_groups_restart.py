"""Floods become parents whatever the order in which news come, also twice, and over a restart."""

import random

from hypothesis import given
from hypothesis import strategies as st

from processors.fleet_state import Fleet, pack, unpack
from processors.groups import OPEN_AT, step, unsent
from processors.members import SLICE_US, Seen
from schemas.anomaly import Anomaly, Transition
from support.flood import CURRENT, HOT, SILENT, Played, at_us, came, flood, opened, then


def _story(seed: int) -> list[Seen]:
    """Robots of a few models and softwares that get hot, get well, and say so more than once."""
    dice = random.Random(seed)
    story: list[Seen] = []
    for number in range(dice.randrange(5, 60)):
        condition = dice.choice((HOT, CURRENT, SILENT))
        begin_s = dice.choice((0.0, 3.0, 70.0, 900.0)) + 5 * dice.random()
        first = opened(
            number, condition, model=dice.choice(("MODEL1", "MODEL2")), software=dice.choice(("1", "2")),
            first_us=at_us(begin_s),
        )  # fmt: skip
        story += came(begin_s, [first])
        if dice.random() < 0.7:
            lasts_s = dice.choice((0.0, 0.5, 400 * dice.random()))
            story += came(begin_s + lasts_s, [then(first, Transition.CLEARED)])
    return story + dice.sample(story, len(story) // 3)


def _told(story: list[Seen]) -> dict[str, Anomaly]:
    return {a.id: a for a in step(Fleet(), story, at_us(3600)).anomalies}


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_in_which_things_come_changes_nothing(seed: int, dice: random.Random) -> None:
    story = _story(seed)
    shuffled = dice.sample(story, len(story))
    assert _told(shuffled) == _told(story)


@given(st.integers(0, 10_000))
def test_a_parent_never_opens_with_fewer_robots_than_it_takes(seed: int) -> None:
    told = _told(_story(seed)).values()
    assert all(a.value is not None and a.value >= OPEN_AT for a in told if a.transition is Transition.OPENED)


@given(st.integers(0, 10_000))
def test_the_same_again_changes_nothing(seed: int) -> None:
    story, fleet = _story(seed), Fleet()
    step(fleet, story, at_us(1300))
    parents = dict(fleet.parents)
    again = step(fleet, story, at_us(1300))
    assert [a for a in again.anomalies if a.transition is not Transition.UPDATED] == []
    assert {p: fleet.parents[p].is_open for p in parents} == {p: parents[p].is_open for p in parents}


@given(st.integers(0, 10_000), st.integers(1, 1300))
def test_restored_it_goes_on_as_if_nothing_had_been(seed: int, seconds: int) -> None:
    """Stored at a moment and read back, the next steps tell the same."""
    story = _story(seed)
    moment_us = at_us(seconds) // SLICE_US * SLICE_US
    before = [one for one in story if one.came_us < moment_us]
    after = [one for one in story if one.came_us >= moment_us]
    fleet = Fleet()
    step(fleet, before, moment_us)
    kept = {key: pack(entry) for key, entry in fleet.changes().items() if entry is not None}
    restored = Fleet(unpack(key, packed) for key, packed in kept.items())
    restored.head = fleet.head
    assert step(restored, after, at_us(3600)) == step(fleet, after, at_us(3600))


def test_after_a_restart_what_may_not_be_out_is_sent_again_and_what_was_confirmed_is_not() -> None:
    played = Played(obeys=False)
    hot = flood(12)
    played.at(0, *hot)
    again = unsent(played.fleet)
    assert again.anomalies == played.told
    assert sorted(again.actions, key=lambda a: a.id) == sorted(played.actions, key=lambda a: a.id)
    parent = played.told[0].episode_id
    played.at(10, *(then(a, Transition.ADOPTED, parent=parent) for a in hot))
    assert unsent(played.fleet).actions == []
