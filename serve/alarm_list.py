"""The operators' list of alarms, in heaps: a cause that many robots share is one line, not a hundred.

In: an asyncpg connection, which part of the list, and filters. Out: heaps, worst first, a page at a time. Called by
the alarms page. What a parent speaks for is not among them: the parent is, with how many it speaks for.
"""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import asyncpg
import msgspec

from schemas.anomaly import AlarmState, Cause, cause_of
from schemas.errors import SettingError
from schemas.health import Status
from serve.database import Alarm, alarms_by_id, ask, parents_of
from serve.filters import Condition, Filter, of_code

_BEST_FIRST = [status.value for status in Status]
_ALONE = 2
"""So many of one cause are still shown one by one."""


class Part(StrEnum):
    """What can be looked at. OPEN: all that is not out of the way."""

    OPEN = "open"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"
    SHELVED = "shelved"
    OUT_OF_SERVICE = "out_of_service"
    SPOKEN_FOR = "spoken_for"


_OPEN = (AlarmState.UNACKNOWLEDGED_ACTIVE, AlarmState.UNACKNOWLEDGED_CLEARED, AlarmState.ACKNOWLEDGED_ACTIVE)
STATES: dict[Part, tuple[AlarmState, ...]] = {
    Part.OPEN: _OPEN,
    Part.UNACKNOWLEDGED: (AlarmState.UNACKNOWLEDGED_ACTIVE,),
    Part.ENDED: (AlarmState.UNACKNOWLEDGED_CLEARED,),
    Part.ACKNOWLEDGED: (AlarmState.ACKNOWLEDGED_ACTIVE,),
    Part.SHELVED: (AlarmState.SHELVED,),
    Part.OUT_OF_SERVICE: (AlarmState.OUT_OF_SERVICE,),
    Part.SPOKEN_FOR: (*_OPEN, AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE),
}


class AlarmFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which episodes: of robots as `robots` says (a robot's status there is the episode's here), of a rule, of one
    cause, of one parent.
    """

    robots: Filter
    rule: str = ""
    cause: str = ""
    parent: str = ""


class Heap(msgspec.Struct, frozen=True, kw_only=True):
    """`episodes` of `robots`; `episode_ids` are the first 500, `alarms` their details where they are few."""

    heap: str
    episodes: int
    robots: int
    unacknowledged: int
    opened: datetime
    rank: int
    severity: int
    episode_ids: list[str]
    alarms: list[Alarm] = []

    @property
    def cause(self) -> Cause | None:
        return cause_of(self.heap)

    @property
    def status(self) -> str:
        return _BEST_FIRST[self.severity - 1]


class AlarmList(msgspec.Struct, frozen=True, kw_only=True):
    """`members`: by parent how many listed episodes it speaks for. `parents`: those that speak for listed ones.
    `cursor` asks for what follows.
    """

    heaps: list[Heap]
    members: dict[str, int]
    parents: dict[str, Alarm]
    cursor: str | None


class _Cursor(msgspec.Struct, array_like=True, frozen=True):
    rank: int
    severity: int
    opened: datetime
    heap: str


async def part_counts(connection: asyncpg.Connection, wanted: AlarmFilter) -> dict[Part, int]:
    """How many episodes each part of the list has."""
    condition = _condition(wanted)
    rows = await ask(connection, "alarm_list_counts", *condition.parameters, condition=condition.sql)
    found = {row["part"]: row["episodes"] for row in rows}
    counts = {part: sum(found.get(state.value, 0) for state in STATES[part]) for part in Part}
    return counts | {Part.SPOKEN_FOR: found.get(Part.SPOKEN_FOR.value, 0)}


async def alarm_list(
    connection: asyncpg.Connection, part: Part, wanted: AlarmFilter, grouped: bool, cursor: str | None, limit: int
) -> AlarmList:
    """At most `limit` heaps from `cursor` on (None: from the first). Raises SettingError for a wrong cursor."""
    after = None if cursor is None else _read(cursor)
    position = (None,) * 4 if after is None else (after.rank, after.severity, after.opened, after.heap)
    condition = _condition(wanted, first=10)
    states = [state.value for state in STATES[part]]
    rows = await ask(
        connection, "alarm_list", states, part is Part.SPOKEN_FOR, grouped, _BEST_FIRST, *position, limit + 1,
        *condition.parameters, condition=condition.sql,
    )  # fmt: skip
    heaps = await _with_alarms(connection, [msgspec.convert(dict(row), Heap) for row in rows[:limit]])
    shown = [alarm for heap in heaps for alarm in heap.alarms]
    ids = [alarm.episode_id for alarm in shown]
    members = {row["parent"]: row["members"] for row in await ask(connection, "alarm_members", ids)}
    next_page = _written(heaps[-1]) if len(rows) > limit else None
    return AlarmList(heaps=heaps, members=members, parents=await parents_of(connection, shown), cursor=next_page)


async def _with_alarms(connection: asyncpg.Connection, heaps: list[Heap]) -> list[Heap]:
    """The details of heaps that are so small that they are shown one by one."""
    small = [episode for heap in heaps if heap.episodes <= _ALONE for episode in heap.episode_ids]
    known = {alarm.episode_id: alarm for alarm in await alarms_by_id(connection, small)}

    def details(episodes: Iterable[str]) -> list[Alarm]:
        return [known[episode] for episode in episodes if episode in known]

    return [
        msgspec.structs.replace(heap, alarms=details(heap.episode_ids)) if heap.episodes <= _ALONE else heap
        for heap in heaps
    ]


def _condition(wanted: AlarmFilter, first: int = 1) -> Condition:
    """On the columns of `episode`."""
    robots = wanted.robots
    condition = of_code(robots, first)
    if robots.statuses:
        condition.add("status = ANY ({}::text[])", list(robots.statuses))
    for column, value in (
        ("software", robots.software),
        ("scenario", robots.scenario),
        ("rule", wanted.rule),
        ("cause", wanted.cause),
        ("parent", wanted.parent),
    ):
        if value:
            condition.add(f"{column} = {{}}", value)
    if robots.component:
        condition.add("(component = {0} OR split_part(component, '/', 1) = {0})", robots.component)
    return condition


def _written(heap: Heap) -> str:
    cursor = _Cursor(heap.rank, heap.severity, heap.opened, heap.heap)
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).decode()


def _read(text: str) -> _Cursor:
    try:
        return msgspec.msgpack.decode(base64.b64decode(text, b"-_", validate=True), type=_Cursor)
    except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error, ValueError):
        raise SettingError("this cursor is none: begin with the first page") from None
