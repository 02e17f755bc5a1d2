"""What the grouping keeps: the fleet's open episodes, the parents that speak for many, and how far it has read.

In: records as `processors/group_store.py` has stored them. Out: the same, changed by `processors/groups.py`, with
indexes that find what belongs together, and what has changed since it was stored last. Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from processors.load import Load
from processors.scopes import Scope
from schemas.action import Action
from schemas.anomaly import About, AlarmState, Anomaly
from schemas.errors import ContractError
from schemas.health import Status

STATE_VERSION = 1
NEVER = -1


class Condition(NamedTuple):
    """What is the matter, whichever component and robot it is with."""

    rule: str
    signal: str
    side: str


class Member(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A robot's episode as its last transition, `number`, left it. `came_us`: when the broker had its opening, or
    its end.

    `active`: its condition holds. `seen_parent` is what it says of its parent, `parent` the one that we gave it
    at `adopted_us`.
    `call_us`: when somebody is called for it, unless it gets a parent first; NEVER when nobody is, or has been.
    """

    episode_id: str
    robot_id: str
    condition: Condition
    about: About
    model: str
    software: str
    number: int
    status: Status
    first_us: int
    last_us: int
    came_us: int
    active: bool
    chattering: bool
    state: AlarmState
    seen_parent: str
    parent: str = ""
    adopted_us: int = NEVER
    call_us: int = NEVER

    @property
    def speaks(self) -> bool:
        """Whether it calls people by itself."""
        return self.active and not self.parent and not self.seen_parent and not self.is_put_aside

    @property
    def calls(self) -> bool:
        """Whether it does, and nobody has answered yet."""
        return self.speaks and self.state is AlarmState.UNACKNOWLEDGED_ACTIVE

    @property
    def is_put_aside(self) -> bool:
        """Somebody said that nobody is to be called for it."""
        return self.state in (AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE)


class Parent(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """An episode of the fleet. `about` is what its members are about; `closed_us` NEVER while it is open.

    `joined_us`: when the last robot came to it. `robots_ever`: how many came since it opened. `told_*`: what its
    last transition, `number`, said. `unsent`, `unsent_releases`: what may not be out yet. `acknowledged` and
    `shelved_us` (until then) are what people did about it, `acted` the ids of their last actions. `call_us`: when
    somebody is called for what was told last; NEVER when nobody is, or has been.
    """

    id: str
    episode: int
    number: int
    about: About
    conditions: tuple[Condition, ...]
    scope: Scope
    status: Status
    first_us: int
    last_us: int
    joined_us: int
    closed_us: int = NEVER
    robots_ever: int = 0
    told_robots: int = 0
    told_us: int = NEVER
    acknowledged: bool = False
    shelved_us: int = NEVER
    acted: tuple[str, ...] = ()
    call_us: int = NEVER
    unsent: tuple[Anomaly, ...] = ()
    unsent_releases: tuple[Action, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.closed_us == NEVER

    @property
    def is_shelved(self) -> bool:
        return self.shelved_us != NEVER

    @property
    def calls(self) -> bool:
        """Whether somebody has to answer it who has not yet."""
        return self.is_open and self.state is AlarmState.UNACKNOWLEDGED_ACTIVE

    @property
    def state(self) -> AlarmState:
        """What an operator has to do with it."""
        if self.is_shelved:
            return AlarmState.SHELVED
        if self.is_open:
            return AlarmState.ACKNOWLEDGED_ACTIVE if self.acknowledged else AlarmState.UNACKNOWLEDGED_ACTIVE
        return AlarmState.NORMAL if self.acknowledged else AlarmState.UNACKNOWLEDGED_CLEARED


class Head(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """`positions`: by topic and partition the first offset that is not in the state. `parents`: how many were."""

    v: int = STATE_VERSION
    positions: dict[str, int] = {}
    parents: int = 0
    load: Load = Load()


Entry = Member | Parent | Head

HEAD_KEY = "head"
_MEMBER, _PARENT = "m/", "p/"

_encoder = msgspec.msgpack.Encoder()
_decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {
    _MEMBER: msgspec.msgpack.Decoder(Member),
    _PARENT: msgspec.msgpack.Decoder(Parent),
    HEAD_KEY[:2]: msgspec.msgpack.Decoder(Head),
}


class Fleet:
    """Members and parents by their ids. They are changed by `put_*` and `drop_*` alone.

    `speaking`: of each condition the members that call people by themselves. `joined`: of each open parent its
    active members, `robots` how many of them each robot has. `calls`: when somebody is to be called for a member;
    `closed`: when one ended.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.head = Head()
        self.members: dict[str, Member] = {}
        self.parents: dict[str, Parent] = {}
        self.speaking: dict[Condition, dict[str, Member]] = defaultdict(dict)
        self.joined: dict[str, set[str]] = defaultdict(set)
        self.robots: dict[str, Counter[str]] = defaultdict(Counter)
        self.calls: dict[str, int] = {}
        self.closed: dict[str, int] = {}
        self._changed: set[str] = set()
        for entry in entries:
            match entry:
                case Member():
                    self.put_member(entry)
                case Parent():
                    self.put_parent(entry)
                case Head():
                    self.head = entry
        self._changed.clear()

    @property
    def open_parents(self) -> list[Parent]:
        """In the order of their opening."""
        return sorted((p for p in self.parents.values() if p.is_open), key=lambda parent: parent.episode)

    def put_member(self, member: Member) -> None:
        before = self.members.get(member.episode_id)
        if before is not None:
            self._unlink(before)
        self.members[member.episode_id] = member
        self._link(member)
        self._changed.add(_MEMBER + member.episode_id)

    def drop_member(self, episode_id: str) -> None:
        self._unlink(self.members.pop(episode_id))
        self._changed.add(_MEMBER + episode_id)

    def put_parent(self, parent: Parent) -> None:
        self.parents[parent.id] = parent
        self._changed.add(_PARENT + parent.id)

    def drop_parent(self, parent_id: str) -> None:
        del self.parents[parent_id]
        self.joined.pop(parent_id, None)
        self.robots.pop(parent_id, None)
        self._changed.add(_PARENT + parent_id)

    def replaces(self, keys: Iterable[str]) -> None:
        """Whatever is stored under these keys is to be gone."""
        self._changed.update(keys)

    def changes(self) -> dict[str, Entry | None]:
        """What has changed since the last call, by its key; None for what is gone."""
        found: dict[str, Entry | None] = {}
        for key in sorted(self._changed - {HEAD_KEY}):
            kept = self.members if key.startswith(_MEMBER) else self.parents
            found[key] = kept.get(key[2:])
        self._changed.clear()
        return found

    def _link(self, member: Member) -> None:
        key = member.episode_id
        if member.speaks:
            self.speaking[member.condition][key] = member
        if member.active and member.parent:
            self.joined[member.parent].add(key)
            self.robots[member.parent][member.robot_id] += 1
        if member.call_us != NEVER:
            self.calls[key] = member.call_us
        if not member.active:
            self.closed[key] = member.came_us

    def _unlink(self, member: Member) -> None:
        key = member.episode_id
        self.speaking[member.condition].pop(key, None)
        if member.active and member.parent:
            self.joined[member.parent].discard(key)
            robots = self.robots[member.parent]
            robots[member.robot_id] -= 1
            if not robots[member.robot_id]:
                del robots[member.robot_id]
        self.calls.pop(key, None)
        self.closed.pop(key, None)


def pack(entry: Entry) -> bytes:
    return _encoder.encode(entry)


def unpack(key: str, packed: bytes) -> Entry:
    """Raises ContractError for what this program cannot read."""
    try:
        entry: Entry = _decoders[key[:2]].decode(packed)
    except (KeyError, msgspec.DecodeError) as error:
        raise ContractError(f"the stored state of the grouping cannot be read at {key}: {error}") from None
    if isinstance(entry, Head) and entry.v != STATE_VERSION:
        raise ContractError(
            f"the stored state of the grouping is version {entry.v}, this program has {STATE_VERSION}"
        )
    return entry
