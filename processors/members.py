"""Robots' episodes as the grouping sees them: in slices of time, and what their robots are told.

In: anomalies with the time at which the broker had them. Out: members (`processors/fleet_state.py`), and the
actions that give a member a parent or take it away. Called by `processors/groups.py`. Pure.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from processors.fleet_state import NEVER, Condition, Member
from schemas.action import ACTION_VERSION, Action, Kind
from schemas.anomaly import About, Anomaly, cause_of

SLICE_US = 2_000_000  # ours: what one window shows of the fleet comes within a second or two

ACTOR = "robovitals"


class Seen(NamedTuple):
    """A transition of a robot's episode, and when the broker had it."""

    came_us: int
    anomaly: Anomaly

    @property
    def order(self) -> tuple[int, str, int]:
        """What comes in one slice is taken in this order, however it came."""
        return self.came_us, self.anomaly.episode_id, self.anomaly.number


class Asked(NamedTuple):
    """An operator's action about an episode of the fleet, and when the broker had it."""

    came_us: int
    action: Action

    @property
    def order(self) -> tuple[int, str, int]:
        return self.came_us, self.action.id, 0


Arrived = Seen | Asked


def slices(arrived: Iterable[Arrived]) -> Iterator[tuple[int, list[Arrived]]]:
    """What came, by the ends of slices and in an order of its own."""
    by_end: dict[int, list[Arrived]] = {}
    for one in arrived:
        by_end.setdefault(slice_end_us(one.came_us), []).append(one)
    for end_us in sorted(by_end):
        yield end_us, sorted(by_end[end_us], key=lambda one: one.order)


def slice_end_us(came_us: int) -> int:
    """Of the slice of a moment, the first moment after it."""
    return came_us - came_us % SLICE_US + SLICE_US


def member_of(seen: Seen, before: Member | None) -> Member | None:
    """A robot's episode as a transition leaves it; None for what can have no parent."""
    anomaly = seen.anomaly
    cause = cause_of(anomaly.cause)
    if cause is None or anomaly.about is About.FLEET:
        return None
    began = before is None or anomaly.active is not before.active
    parent = before.parent if before is not None and anomaly.active else ""
    return Member(
        episode_id=anomaly.episode_id,
        robot_id=anomaly.robot_id,
        condition=Condition(cause.rule, cause.signal, cause.side),
        about=anomaly.about,
        model=cause.model,
        software=cause.software,
        number=anomaly.number,
        status=anomaly.status,
        first_us=anomaly.first_us,
        last_us=anomaly.last_us,
        came_us=seen.came_us if began or before is None else before.came_us,
        active=anomaly.active,
        chattering=anomaly.chattering,
        state=anomaly.state,
        seen_parent=anomaly.parent,
        parent=parent,
        adopted_us=before.adopted_us if before is not None and parent else NEVER,
        call_us=NEVER if before is None else before.call_us,
    )


def action(member: Member, kind: Kind, parent_id: str, now_us: int) -> Action:
    """That a member gets a parent, or has none any more. The same action again has the same id."""
    told = f"{kind}/{member.episode_id}/{parent_id}/{now_us}"
    return Action(
        v=ACTION_VERSION,
        id=hashlib.blake2b(told.encode(), digest_size=12).hexdigest(),
        robot_id=member.robot_id,
        kind=kind,
        actor=ACTOR,
        time_us=now_us,
        episode_id=member.episode_id,
        parent=parent_id,
    )
