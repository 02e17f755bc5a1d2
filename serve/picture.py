"""Where a robot's joints are drawn: a figure for any number of them.

In: the joints' numbers. Out: places in a drawing of WIDTH × HEIGHT. Called by `serve/robot_view.py`. Pure.

A frame has its joints as a list without names, so nobody can say from the data which one is the knee. The figure
follows the order that humanoids' controllers commonly have (legs, waist, arms, hands); it is a convention that
helps the eye, and the page says so. Up to ARM_AT_MOST joints are drawn as one arm.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

WIDTH, HEIGHT = 300, 400
ARM_TOP = 100
"""Above it there is nothing of an arm."""
ARM_AT_MOST = 8
LEG_AT_MOST, ARM_OF_HUMANOID = 6, 7

Point = tuple[float, float]
# The figure's own left is on the right of who looks at it; joints go outwards from the body.
_LEFT_LEG: tuple[Point, ...] = ((168, 218), (176, 290), (180, 372))
_WAIST: tuple[Point, ...] = ((150, 196), (150, 118))
_LEFT_ARM: tuple[Point, ...] = ((188, 92), (226, 150), (240, 216))
_LEFT_HAND: tuple[Point, ...] = ((236, 240), (282, 250), (276, 300), (228, 296))
_ARM: tuple[Point, ...] = ((110, 350), (110, 210), (214, 130), (236, 226))


class JointPlace(msgspec.Struct, frozen=True):
    """Where one joint is drawn."""

    joint: int
    x: float
    y: float


class Figure(msgspec.Struct, frozen=True):
    """`limbs`: the lines between joints, as points of an SVG polyline. `head`: whether it is a humanoid's."""

    joints: tuple[JointPlace, ...]
    limbs: tuple[str, ...]
    head: bool


def figure(joints: Sequence[int]) -> Figure:
    """`joints`: numbers in the robot's order, from 1."""
    if not joints:
        return Figure((), (), False)
    if len(joints) <= ARM_AT_MOST:
        places = _along(_ARM, joints)
        return Figure(places, (_line(_ARM),), False)
    return _humanoid(joints)


def limb_sizes(count: int) -> tuple[int, int, int, int]:
    """Joints of a leg, the waist, an arm and a hand of a humanoid with `count` joints; all are in one of them."""
    waist = 1 if count % 2 else 2
    side = (count - waist) // 2
    leg = min(LEG_AT_MOST, -(-side * LEG_AT_MOST // 11))
    arm = min(ARM_OF_HUMANOID, side - leg)
    hand = side - leg - arm
    if waist == 1 and hand:  # a waist has up to three: the common figure has 6, 3, 7
        waist, hand = 3, hand - 1
    return leg, waist, arm, hand


def _humanoid(joints: Sequence[int]) -> Figure:
    leg, waist, arm, hand = limb_sizes(len(joints))
    sizes = (leg, leg, waist, arm, arm, hand, hand)
    right_leg, right_arm, right_hand = (_mirrored(limb) for limb in (_LEFT_LEG, _LEFT_ARM, _LEFT_HAND))
    limbs = (_LEFT_LEG, right_leg, _WAIST, _LEFT_ARM, right_arm, _LEFT_HAND, right_hand)
    places: list[JointPlace] = []
    for size, limb in zip(sizes, limbs, strict=True):
        part = joints[len(places) : len(places) + size]
        places += _along(limb, part)
    drawn = (*(limb for limb in limbs[:5]), *((_LEFT_HAND, right_hand) if hand else ()))
    return Figure(tuple(places), tuple(_line(limb) for limb in drawn), True)


def _mirrored(limb: tuple[Point, ...]) -> tuple[Point, ...]:
    return tuple((WIDTH - x, y) for x, y in limb)


def _line(limb: tuple[Point, ...]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in limb)


def _along(limb: tuple[Point, ...], joints: Sequence[int]) -> tuple[JointPlace, ...]:
    """Spread over the line, equally far from each other, from its first end to its last."""
    lengths = [((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 for (x1, y1), (x2, y2) in pairwise(limb)]
    places = []
    for number, joint in enumerate(joints):
        left = sum(lengths) * (number / (len(joints) - 1) if len(joints) > 1 else 0.5)
        for (start, end), length in zip(pairwise(limb), lengths, strict=True):
            if left <= length or end is limb[-1]:
                share = min(left / length, 1.0)
                x, y = (start[axis] + share * (end[axis] - start[axis]) for axis in (0, 1))
                places.append(JointPlace(joint, round(x, 1), round(y, 1)))
                break
            left -= length
    return tuple(places)
