"""The figure holds every joint once, whatever their number."""

import pytest

from serve.picture import ARM_TOP, HEIGHT, WIDTH, figure, limb_sizes


@pytest.mark.parametrize("count", [*range(1, 60), 100])
def test_every_joint_has_one_place_inside_the_drawing(count: int) -> None:
    places = figure(range(1, count + 1)).joints
    assert [place.joint for place in places] == list(range(1, count + 1))
    assert all(0 < place.x < WIDTH and 0 < place.y < HEIGHT for place in places)


@pytest.mark.parametrize("count", [6, 23, 29, 43])
def test_joints_of_known_robots_do_not_cover_each_other(count: int) -> None:
    places = figure(range(1, count + 1)).joints
    apart = [
        ((one.x - other.x) ** 2 + (one.y - other.y) ** 2) ** 0.5
        for at, one in enumerate(places)
        for other in places[:at]
    ]
    assert min(apart) > 15


@pytest.mark.parametrize(
    ("count", "sizes"), [(23, (6, 1, 5, 0)), (29, (6, 3, 7, 0)), (28, (6, 2, 7, 0)), (43, (6, 3, 7, 7))]
)
def test_common_humanoids_have_their_limbs(count: int, sizes: tuple[int, int, int, int]) -> None:
    assert limb_sizes(count) == sizes


def test_few_joints_are_one_arm_without_a_head() -> None:
    drawn = figure(range(1, 7))
    assert not drawn.head
    assert len(drawn.limbs) == 1
    assert all(place.y > ARM_TOP for place in drawn.joints)


def test_numbers_that_are_missing_leave_the_order() -> None:
    assert [place.joint for place in figure([2, 5, 9]).joints] == [2, 5, 9]


def test_no_joints_are_no_figure() -> None:
    assert figure([]).joints == ()
