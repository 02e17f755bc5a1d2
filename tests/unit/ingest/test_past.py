"""The demo's past: what happened, which frames tell of it, and what only fills charts."""

from collections import defaultdict
from itertools import pairwise

import pytest

from ingest.faults import FleetFile
from ingest.fleet import WORN_FOR_S, Fault
from ingest.opening import opened_demo
from ingest.past import DAY_US, Past, seldom_us
from ingest.stories import broken_at, moments, still_broken, stories
from ingest.traits import BAD_SOFTWARE, RELEASED_MODEL, Robot, robot
from schemas.frame import FLAG_BACKFILL, Frame

LIVE_US = 1_760_000_000_123_456
HOUR_US = 3_600_000_000


def _fleet(count: int) -> list[Robot]:
    return [robot(1, number) for number in range(1, count + 1)]


def _past(count: int, from_us: int = LIVE_US - DAY_US) -> Past:
    fleet = _fleet(count)
    told = stories(fleet)
    return Past(
        1, fleet, LIVE_US - 40 * DAY_US, from_us, LIVE_US, moments(told, LIVE_US),
        lambda time_us: broken_at(told, LIVE_US, time_us),
    )  # fmt: skip


@pytest.fixture(scope="module")
def told() -> list[Frame]:
    """What is judged of twenty robots."""
    return [frame for frames in _past(20).told() for frame in frames]


@pytest.fixture(scope="module")
def rest() -> list[Frame]:
    """What is only kept of them."""
    return [frame for frames in _past(20).rest() for frame in frames]


def _by_robot(frames: list[Frame]) -> dict[str, list[Frame]]:
    found: dict[str, list[Frame]] = defaultdict(list)
    for frame in frames:
        found[frame.robot_id].append(frame)
    return found


def test_the_bad_release_is_on_more_robots_of_one_model_than_a_flood_needs_and_on_few_of_the_fleet() -> None:
    fleet = _fleet(200)
    released = [story.robot for story in stories(fleet) if story.fault is Fault.RELEASE]
    assert {member.model for member in released} == {RELEASED_MODEL}
    assert 11 <= len(released) <= len(fleet) // 10


def test_nothing_but_the_release_has_the_conditions_of_the_release_or_is_a_flood_by_itself() -> None:
    others = [story for story in stories(_fleet(200)) if story.fault is not Fault.RELEASE]
    assert not {Fault.BACKLASH, Fault.BATTERY} & {story.fault for story in others}
    assert sum(story.fault in (Fault.WARM, Fault.OVERHEAT, Fault.WORN) for story in others) < 11


def test_a_fault_of_the_past_stands_between_its_beginning_and_its_end() -> None:
    told = stories(_fleet(6))
    code = next(story.robot.code for story in told if story.robot.number == 6)
    hours = [
        Fault.OVERHEAT in broken_at(told, LIVE_US, LIVE_US - h * HOUR_US // 2).get(code, {}) for h in (19, 18, 17)
    ]
    assert hours == [False, True, False]
    assert code not in still_broken(told, LIVE_US)


def test_a_small_fleet_has_the_stories_of_its_robots_only() -> None:
    assert {story.robot.number for story in stories(_fleet(1))} == {1}


def test_what_stands_keeps_its_beginning_in_the_fault_file() -> None:
    broken = still_broken(stories(_fleet(3)), LIVE_US)
    assert broken[robot(1, 1).code] == {Fault.WORN: LIVE_US - round(WORN_FOR_S * 1e6)}
    assert broken[robot(1, 3).code] == {Fault.SILENT: LIVE_US - HOUR_US}


def test_what_is_judged_comes_in_the_order_of_time_and_ends_before_the_present(told: list[Frame]) -> None:
    times = [frame.time_us for frame in told]
    assert times == sorted(times)
    assert times[-1] < LIVE_US - 30_000_000
    assert {frame.flags for frame in told} == {0}


def test_the_frames_that_are_judged_are_few() -> None:
    assert len(moments(stories(_fleet(200)), LIVE_US)) < 300


def test_the_rest_is_marked_as_late_and_ends_before_the_present(rest: list[Frame]) -> None:
    assert {frame.flags for frame in rest} == {FLAG_BACKFILL}
    assert min(frame.time_us for frame in rest) >= LIVE_US - DAY_US
    assert max(frame.time_us for frame in rest) < LIVE_US


def test_both_parts_are_one_boot_of_each_robot_numbered_by_time_without_a_gap() -> None:
    past = _past(20)
    frames = [frame for part in (past.told(), past.rest()) for some in part for frame in some]
    for of_robot in _by_robot(frames).values():
        ordered = sorted(of_robot, key=lambda frame: frame.time_us)
        assert len({frame.boot_id for frame in ordered}) == 1
        assert [frame.seq for frame in ordered] == list(range(len(ordered)))
        assert len({frame.time_us for frame in ordered}) == len(ordered)


def test_a_robot_that_something_happened_to_is_known_closely_and_the_others_seldom(rest: list[Frame]) -> None:
    frames = _by_robot(rest)

    def apart_s(number: int) -> set[float]:
        return {(b.time_us - a.time_us) / 1e6 for a, b in pairwise(frames[robot(1, number).code])}

    assert apart_s(1) == {120.0}
    assert apart_s(5) == {1800.0}


def test_the_silent_robot_has_said_nothing_for_an_hour(told: list[Frame], rest: list[Frame]) -> None:
    last_us = max(frame.time_us for frame in told + rest if frame.robot_id == robot(1, 3).code)
    assert HOUR_US <= LIVE_US - last_us < HOUR_US + 130_000_000


def test_the_release_changes_the_software_of_its_robots_before_the_fleet_is_live(told: list[Frame]) -> None:
    frames = _by_robot(told)[robot(1, 14).code]
    assert [frame.software == BAD_SOFTWARE for frame in frames] == [False, True, True]


@pytest.mark.parametrize(("robots", "minutes"), [(1, 30), (200, 30), (1000, 144), (10_000, 1440)])
def test_a_large_fleets_past_takes_no_longer(robots: int, minutes: int) -> None:
    assert seldom_us(robots) == minutes * 60_000_000


def test_progress_counts_what_the_rest_has() -> None:
    past = _past(1)
    assert past.slots == sum(1 for _ in past.rest())


def test_a_demo_tells_its_past_once_and_then_what_it_has_missed() -> None:
    first = opened_demo(None, 1, 20, LIVE_US)
    assert (first.boot_us, first.past_from_us, len(first.told) > 0) == (LIVE_US, LIVE_US - DAY_US, True)
    assert first.fleet.first_day_us % DAY_US == 0
    assert first.fleet.first_day_us <= LIVE_US - WORN_FOR_S * 1e6
    sent = FleetFile(1, 20, first.fleet.first_day_us, LIVE_US - HOUR_US)
    again = opened_demo(sent, 1, 20, LIVE_US)
    assert (again.past_from_us, again.told) == (LIVE_US - HOUR_US + 1, ())
    assert opened_demo(first.fleet, 1, 20, LIVE_US).told, "one that was stopped before it was live begins again"
    assert opened_demo(sent, 2, 20, LIVE_US).told, "another seed is another fleet"


def test_a_fleet_that_goes_on_after_a_second_has_no_past() -> None:
    again = opened_demo(FleetFile(1, 3, 0, LIVE_US - 1_000_000), 1, 3, LIVE_US)
    fleet = again.fleet.members()
    past = Past(1, fleet, 0, again.past_from_us, again.boot_us, [], lambda _: {})
    assert (list(past.told()), list(past.rest()), past.slots) == ([], [], 0)
