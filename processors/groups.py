"""Floods: episodes of many robots with one cause become the members of one parent episode, which speaks for them.

In: transitions of robots' episodes and what people do about parents, with the times at which the broker had them,
and the time. Out: transitions of parents, and actions that tell members of their parent (adopt, release); the
fleet's state is changed in place. Called by `processors/group_work.py`. Pure.

Members have a **condition** (rule, signal, side) in common. More than ten robots within ten minutes are a flood for
one operator, whatever the size of the fleet: then a parent opens, for the narrowest scope (model, software) that
explains nearly all of them. It joins a parent of the last ten minutes instead of opening another one where that has
the same condition, or is about the same software, or has half of its robots: a bad release that upsets five signals
is one parent that names five. Later members come to an open parent at once. It ends when few are left; these speak
for themselves again.

Time goes in slices: what came within one is taken together, in an order that does not depend on how it came. A
parent's id follows from its condition and first sign.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from processors import load, parent_actions, scopes
from processors.fleet_state import NEVER, Condition, Fleet, Member, Parent
from processors.members import SLICE_US, Arrived, Asked, Seen, action, member_of, slices
from processors.parent_actions import Done
from processors.parents import is_due, tell
from processors.scopes import Pattern
from processors.telling import NO_DEED, Deed
from schemas.action import Action, Kind
from schemas.anomaly import Anomaly, Transition
from schemas.errors import RejectError
from schemas.health import SEVERITY

# Ours, but for ISA-18.2's ten and five in ten minutes. For JOIN_US after its last robot a parent takes another one;
# later that is news. Whoever calls people waits for CALL_AFTER_US, and calls nobody if a parent speaks for it by
# then. What is over is kept for repeats; a parent for episodes that come back and still name it, which a shelf may
# put off for a week.
OPEN_AT = load.FLOOD_ABOVE + 1
CLOSE_BELOW = load.FLOOD_ENDS_BELOW
WINDOW_US = load.WINDOW_US
JOIN_US = 3_600_000_000
CALL_AFTER_US = 10_000_000
KEPT_US = 3_600_000_000
PARENT_KEPT_US = 8 * 24 * 3_600_000_000


@dataclass(slots=True)
class Outcome:
    """What is to be sent, once the state is stored. `calls`: how often somebody was called. `rejected`: why actions
    were skipped.
    """

    anomalies: list[Anomaly] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    calls: int = 0
    rejected: list[RejectError] = field(default_factory=list)


def step(fleet: Fleet, arrived: Iterable[Arrived], until_us: int) -> Outcome:
    """Take whole slices, and then what time brings until `until_us`. What came of the last step is out by now."""
    outcome = Outcome()
    for parent in list(fleet.parents.values()):
        if parent.unsent or parent.unsent_releases:
            fleet.put_parent(msgspec.structs.replace(parent, unsent=(), unsent_releases=()))
    for end_us, some in slices(arrived):
        _Slice(fleet, outcome, end_us - SLICE_US).take([])  # what time has brought until then
        _Slice(fleet, outcome, end_us).take(some)
    _Slice(fleet, outcome, until_us).take([])
    return outcome


class _Slice:
    """One slice; `now_us` is its end."""

    def __init__(self, fleet: Fleet, outcome: Outcome, now_us: int) -> None:
        self._fleet = fleet
        self._outcome = outcome
        self._now_us = max(now_us, fleet.head.load.now_us)
        self._calls: list[int] = []
        self._news: set[str] = set()
        """Parents that people have to hear of again: they are worse, or wider."""

    def take(self, arrived: Sequence[Arrived]) -> None:
        """Robots' episodes first, then what became of parents, then what people and time do to these."""
        seen = [one for one in arrived if isinstance(one, Seen)]
        for one in seen:
            self._see(one)
        fresh = {one.anomaly.episode_id for one in seen} & self._fleet.members.keys()
        members = [self._fleet.members[episode_id] for episode_id in sorted(fresh)]
        for member in members:
            if member.speaks:
                self._join(member)
        for condition in sorted({member.condition for member in members if member.speaks}):
            while self._burst(condition):
                pass
        for parent in self._fleet.open_parents:
            self._settle(parent)
        for asked in arrived:
            if isinstance(asked, Asked):
                self._act(asked)
        for parent in list(self._fleet.parents.values()):
            self._do(parent_actions.due(parent, self._now_us))
        self._call()
        self._forget()
        head = self._fleet.head
        self._outcome.calls += len(self._calls)
        self._fleet.head = msgspec.structs.replace(head, load=load.step(head.load, self._calls, self._now_us))

    def _see(self, seen: Seen) -> None:
        """Take note of a transition."""
        fleet, anomaly = self._fleet, seen.anomaly
        before = fleet.members.get(anomaly.episode_id)
        if not anomaly.live or (anomaly.number <= before.number if before else not anomaly.active):
            return
        member = member_of(seen, before)
        if member is None:
            return
        old = fleet.parents.get(member.seen_parent)
        if member.active and not member.parent and old is not None:
            # It came back within the episode that it was when that parent spoke for it.
            if old.is_open:
                fleet.put_member(member)
                self._adopt(old.id, member)
                return
            self._tell_release(member, old)
            member = msgspec.structs.replace(member, seen_parent="")
        if member.parent:
            self._worsen(fleet.parents[member.parent], member)
        if not member.calls:
            member = msgspec.structs.replace(member, call_us=NEVER)
        elif before is None or not before.calls:
            member = msgspec.structs.replace(member, call_us=seen.came_us + CALL_AFTER_US)
        fleet.put_member(member)

    def _worsen(self, parent: Parent, member: Member) -> None:
        """A parent is as bad as the worst that its members have been."""
        last_us = max(parent.last_us, member.last_us)
        first_us = min(parent.first_us, member.first_us)
        status = max(parent.status, member.status, key=SEVERITY.__getitem__)
        if status is not parent.status:
            self._news.add(parent.id)
        if (status, first_us, last_us) != (parent.status, parent.first_us, parent.last_us):
            self._fleet.put_parent(
                msgspec.structs.replace(parent, status=status, first_us=first_us, last_us=last_us)
            )

    def _join(self, member: Member) -> None:
        """To the youngest open parent that it fits."""
        for parent in reversed(self._fleet.open_parents):
            if (
                member.condition in parent.conditions
                and self._now_us - parent.joined_us <= JOIN_US
                and scopes.fits(parent.scope, member.model, member.software)
            ):
                self._adopt(parent.id, member)
                return

    def _adopt(self, parent_id: str, member: Member) -> None:
        fleet = self._fleet
        self._worsen(fleet.parents[parent_id], member)
        parent = fleet.parents[parent_id]
        ever = parent.robots_ever + (member.robot_id not in fleet.robots[parent_id])
        parent = msgspec.structs.replace(parent, robots_ever=ever, joined_us=self._now_us)
        fleet.put_parent(parent)
        member = msgspec.structs.replace(member, parent=parent_id, adopted_us=self._now_us, call_us=NEVER)
        fleet.put_member(member)
        if member.seen_parent != parent_id:
            self._outcome.actions.append(action(member, Kind.ADOPT, parent_id, self._now_us))

    def _tell_release(self, member: Member, parent: Parent) -> None:
        release = action(member, Kind.RELEASE, parent.id, self._now_us)
        self._outcome.actions.append(release)
        parent = self._fleet.parents[parent.id]
        releases = (*parent.unsent_releases, release)
        self._fleet.put_parent(msgspec.structs.replace(parent, unsent_releases=releases))

    def _burst(self, condition: Condition) -> bool:
        """Whether enough robots have come to a condition of late; then they have a parent now."""
        members = [m for m in self._fleet.speaking[condition].values() if m.came_us > self._now_us - WINDOW_US]
        robots = {member.robot_id: (member.model, member.software) for member in members}
        if len(robots) < OPEN_AT:
            return False
        pattern = scopes.narrowest(robots.values())
        members = [member for member in members if pattern.fits(member.model, member.software)]
        robots = {member.robot_id: (member.model, member.software) for member in members}
        if len(robots) < OPEN_AT:
            return False
        members.sort(key=lambda member: (member.first_us, member.episode_id))
        parent = self._kindred(condition, pattern, members, set(robots)) or self._opened(
            condition, pattern, members
        )
        conditions = tuple(sorted({*parent.conditions, condition}))
        scope = scopes.widened(parent.scope, pattern)
        is_wider = (conditions, scope) != (parent.conditions, parent.scope)
        if is_wider:
            self._news.add(parent.id)
        if not parent.is_open:
            parent = msgspec.structs.replace(
                parent, closed_us=NEVER, told_robots=0, robots_ever=0, acknowledged=False
            )
        parent = msgspec.structs.replace(parent, conditions=conditions, scope=scope)
        self._fleet.put_parent(parent)
        for member in members:
            self._adopt(parent.id, member)
        for member in self._left_out(parent) if is_wider else ():
            self._adopt(parent.id, member)
        return True

    def _left_out(self, parent: Parent) -> list[Member]:
        """Who came of late, before it was as wide as it is now."""
        since_us = self._now_us - WINDOW_US
        found = [
            member
            for condition in parent.conditions
            for member in self._fleet.speaking[condition].values()
            if member.came_us > since_us and scopes.fits(parent.scope, member.model, member.software)
        ]
        return sorted(found, key=lambda member: (member.first_us, member.episode_id))

    def _kindred(
        self, condition: Condition, pattern: Pattern, members: list[Member], robots: set[str]
    ) -> Parent | None:
        """The parent that a burst belongs to: of late, and of the same kind. One that has ended comes back."""
        since_us = self._now_us - WINDOW_US
        recent = [p for p in self._fleet.parents.values() if max(p.joined_us, p.closed_us) > since_us]
        recent.sort(key=lambda parent: (parent.is_open, parent.episode), reverse=True)
        for parent in recent:
            if condition in parent.conditions:
                return parent
        for parent in recent:
            if parent.is_open and parent.about is members[0].about:
                shared = len(robots & set(self._fleet.robots[parent.id]))
                if scopes.shares_software(parent.scope, pattern) or 2 * shared >= len(robots):
                    return parent
        return None

    def _opened(self, condition: Condition, pattern: Pattern, members: list[Member]) -> Parent:
        """`members` in the order of their first signs."""
        fleet = self._fleet
        first = members[0]
        told = f"fleet/{'/'.join(condition)}/{first.first_us}/{first.robot_id}"
        head = fleet.head = msgspec.structs.replace(fleet.head, parents=fleet.head.parents + 1)
        return Parent(
            id=hashlib.blake2b(told.encode(), digest_size=12).hexdigest(),
            episode=head.parents,
            number=0,
            about=first.about,
            conditions=(condition,),
            scope=(pattern,),
            status=first.status,
            first_us=first.first_us,
            last_us=first.last_us,
            joined_us=self._now_us,
        )

    def _settle(self, parent: Parent) -> None:
        """Open, close or update it, if that has to be told."""
        robots = len(self._fleet.robots[parent.id])
        if not parent.told_robots:
            self._publish(self._calling(parent), Transition.OPENED)
        elif robots < CLOSE_BELOW:
            for episode_id in sorted(self._fleet.joined[parent.id]):
                self._release(self._fleet.members[episode_id], parent)
            closed = msgspec.structs.replace(self._fleet.parents[parent.id], closed_us=self._now_us)
            self._publish(closed, Transition.CLEARED, robots=robots)
        elif parent.id in self._news:
            self._publish(self._calling(parent), Transition.UPDATED)
        elif is_due(parent, robots, self._now_us):
            self._publish(parent, Transition.UPDATED)

    def _calling(self, parent: Parent) -> Parent:
        """With something new that somebody has to answer. What comes within the wait before a call is one call."""
        pending = parent.call_us != NEVER
        call_us = parent.call_us if pending else self._now_us + CALL_AFTER_US
        return msgspec.structs.replace(parent, acknowledged=False, call_us=call_us)

    def _release(self, member: Member, parent: Parent) -> None:
        """It speaks for itself again, and calls."""
        self._tell_release(member, parent)
        released = msgspec.structs.replace(member, parent="", seen_parent="", adopted_us=NEVER)
        call_us = self._now_us + CALL_AFTER_US if released.calls else NEVER
        self._fleet.put_member(msgspec.structs.replace(released, call_us=call_us))

    def _act(self, asked: Asked) -> None:
        action = asked.action
        parent = self._fleet.parents.get(action.episode_id)
        try:
            if parent is None:
                raise RejectError("no_episode", f"{action.kind} of the fleet's {action.episode_id}: there is none")
            self._do(parent_actions.apply(parent, action, asked.came_us))
        except RejectError as error:
            self._outcome.rejected.append(error)

    def _do(self, done: Done | None) -> None:
        """What people or time have done to a parent; one that comes off its shelf calls again."""
        if done is None:
            return
        again = done.transition is Transition.UNSHELVED and done.parent.is_open
        self._publish(self._calling(done.parent) if again else done.parent, done.transition, done.deed)

    def _publish(
        self, parent: Parent, transition: Transition, deed: Deed = NO_DEED, robots: int | None = None
    ) -> None:
        """`robots`: how many it spoke for, where these have been released already."""
        robots = len(self._fleet.robots[parent.id]) if robots is None else robots
        parent, anomaly = tell(parent, transition, robots, self._now_us, deed)
        self._fleet.put_parent(parent)
        self._outcome.anomalies.append(anomaly)

    def _call(self) -> None:
        """Who is due, and has no parent."""
        fleet = self._fleet
        for episode_id in [key for key, call_us in fleet.calls.items() if call_us <= self._now_us]:
            self._calls.append(fleet.calls[episode_id])
            fleet.put_member(msgspec.structs.replace(fleet.members[episode_id], call_us=NEVER))
        for parent in fleet.open_parents:
            if NEVER != parent.call_us <= self._now_us:
                self._calls += [parent.call_us] * parent.calls
                fleet.put_parent(msgspec.structs.replace(parent, call_us=NEVER))

    def _forget(self) -> None:
        fleet, now_us = self._fleet, self._now_us
        for episode_id in [key for key, ended_us in fleet.closed.items() if ended_us < now_us - KEPT_US]:
            fleet.drop_member(episode_id)
        for parent in list(fleet.parents.values()):
            if not parent.is_open and parent.closed_us < now_us - PARENT_KEPT_US:
                fleet.drop_parent(parent.id)


def unsent(fleet: Fleet) -> Outcome:
    """After a restart: what may not be out yet, and what members may not have been told."""
    outcome = Outcome()
    for parent in fleet.parents.values():
        outcome.anomalies += parent.unsent
        outcome.actions += parent.unsent_releases
    outcome.actions += [
        action(member, Kind.ADOPT, member.parent, member.adopted_us)
        for member in fleet.members.values()
        if member.active and member.parent and member.seen_parent != member.parent
    ]
    return outcome
