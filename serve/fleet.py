"""The fleet as an operator asks for it: counts, the worst first, a grid of all, sparklines of a page.

In: an asyncpg connection (`serve.database.connect`, or one that row-level security narrows) and a `Filter`. Out:
structs that go to JSON as they are. Called by the page and the API.
"""

import base64
import binascii
from array import array
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from sys import byteorder

import asyncpg
import msgspec

from schemas.errors import SettingError
from schemas.health import SEVERITY
from schemas.signals import SIGNAL, Component, Signal, Statistic
from serve.database import WORST_FIRST, ask
from serve.filters import MAKER_LENGTH, MODEL_LENGTH, Filter, of_code, of_robot
from serve.words import matter

FACETS_AT_MOST = 100
PAGE_AT_MOST = 1000
HOUR = timedelta(hours=1)

_STATUSES = [status.value for status in WORST_FIRST]
_UPWARDS = [status.value for status in sorted(SEVERITY, key=lambda status: SEVERITY[status])]


class Sort(StrEnum):
    """WORST: severity × unacknowledged × age (`_SCORES`). STALE: the longest unheard, as far as health knows."""

    WORST = "worst"
    CODE = "code"
    STALE = "stale"


class GroupBy(StrEnum):
    """By model and by maker: the first 12 and 6 characters of the code, as limits name them."""

    MODEL = "model"
    MAKER = "maker"
    SITE = "site"
    SOFTWARE = "software"
    SCENARIO = "scenario"
    STATUS = "status"


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """`statuses` worst first, all of them; `alarms` by state, `muted` those that a parent speaks for.

    `received_us`: the newest moment, by the broker's clock, at which anything of these robots was judged; None
    without.
    """

    robots: int
    statuses: dict[str, int]
    alarms: dict[str, int]
    received_us: int | None


class RobotLine(msgspec.Struct, frozen=True, kw_only=True):
    """A robot in a list. `unacknowledged`: alarms that call somebody, the oldest since `calling_since`.

    `component` and `text`: its worst trouble, empty without; `episode_id` and `text` are its parent's where it has
    one. `site` is empty where nobody has said. `last_seen` is the event time of its newest frame, `received` when
    the broker had it.
    """

    robot_id: str
    status: str
    zone: str
    mode: str
    software: str
    scenario: str
    site: str
    open_episodes: int
    unacknowledged: int
    calling_since: datetime | None
    component: str
    episode_id: str
    text: str
    last_seen: datetime | None
    received: datetime | None
    score: float


class RobotsPage(msgspec.Struct, frozen=True, kw_only=True):
    """`total` meet the filter. `cursor` asks for what follows; None: that was all."""

    robots: list[RobotLine]
    total: int
    cursor: str | None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """`count` robots of the grid, one after the other, beginning with number `first`. `statuses` as in Grid."""

    key: str
    first: int
    count: int


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """Every robot, by columns, in groups and in a group by code: entry i of each is robot i's.

    `codes`: CODE_LENGTH characters a robot, in one text. `status`: a digit a robot, an index into `statuses` (worst
    first). `zone`: a letter a robot, `-` where the data cannot tell. `unacknowledged`: a digit a robot, 9 for nine
    and more. `age_s`: whole seconds from when the broker had the last frame that health knows of until `as_of_us`,
    -1 where it knows none; health is told when it changes and hourly, so this is no sign of silence: UNKNOWN is.
    """

    as_of_us: int
    statuses: list[str]
    groups: list[Group]
    codes: str
    status: str
    zone: str
    unacknowledged: str
    age_s: list[int]


class Sparkline(msgspec.Struct, frozen=True, kw_only=True):
    """One value an hour of the last `hours`, oldest first, the last of the running hour; None: nothing came."""

    robot_id: str
    values: list[float | None]


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a filter can ask for, and how many robots have it."""

    value: str
    robots: int


class Facets(msgspec.Struct, frozen=True, kw_only=True):
    """What the filters offer, most robots first, at most FACETS_AT_MOST of each. `models`, `makers`: beginnings of
    codes, as filters take them.
    """

    models: list[Facet]
    makers: list[Facet]
    sites: list[Facet]
    software: list[Facet]
    scenarios: list[Facet]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Severity counts from 0 (normal) to 5; what calls somebody counts double, and so does what has waited for a week. A
# score depends on the moment it is told of, so a cursor brings that moment with it.
_SCORES = {
    Sort.WORST: "(array_position($1::text[], status) - 1) * CASE WHEN calling_since IS NULL THEN 1 ELSE 2 END"
    " * (1 + least(greatest(coalesce(date_part('epoch', as_of - coalesce(calling_since, since)), 0), 0)"
    " / 604800, 1))::float8",
    Sort.CODE: "0::float8",
    Sort.STALE: "coalesce(date_part('epoch', received), 0)",
}
_ORDERS = {Sort.WORST: "score DESC, robot_id", Sort.CODE: "robot_id", Sort.STALE: "score, robot_id"}
_AFTER = {
    Sort.WORST: "(score < $3::float8 OR score = $3::float8 AND robot_id > $4::text)",
    Sort.CODE: "robot_id > $4::text",
    Sort.STALE: "(score > $3::float8 OR score = $3::float8 AND robot_id > $4::text)",
}
_GROUP_KEYS = {
    GroupBy.MODEL: f"left(robot_id, {MODEL_LENGTH})",
    GroupBy.MAKER: f"left(robot_id, {MAKER_LENGTH})",
    GroupBy.SITE: "coalesce(site, '')",
    GroupBy.SOFTWARE: "software",
    GroupBy.SCENARIO: "scenario",
    GroupBy.STATUS: "status",
}
# An index into the statuses worst first, the most frequent status asked first.
_STATUS_DIGIT = "CASE status {} END".format(
    " ".join(f"WHEN '{status}' THEN '{_STATUSES.index(status)}'" for status in _UPWARDS)
)
# What shows the worst of a signal, where windows keep it.
_WORST_OF = (Statistic.MAX, Statistic.LAST, Statistic.MEAN, Statistic.RMS)
_WORST_BELOW = (Statistic.MIN, Statistic.LAST)


class _Cursor(msgspec.Struct, array_like=True, frozen=True):
    """Where a page ended: the robot with its score, as of a moment."""

    sort: Sort
    as_of_us: int
    score: float
    robot_id: str


async def overview(connection: asyncpg.Connection, wanted: Filter) -> Overview:
    """Counts of the robots that meet a filter, and of their alarms."""
    condition, code = of_robot(wanted), of_code(wanted)
    rows = await ask(connection, "fleet_statuses", *condition.parameters, condition=condition.sql)
    found = {row["status"]: row["robots"] for row in rows}
    alarms = await ask(
        connection,
        "fleet_alarms" if code.sql == condition.sql else "fleet_alarms_of",
        *condition.parameters,
        condition=condition.sql,
    )
    return Overview(
        robots=sum(found.values()),
        statuses={status: found.get(status, 0) for status in _STATUSES},
        alarms={row["state"]: row["episodes"] for row in alarms},
        received_us=max((row["received_us"] for row in rows if row["received_us"] is not None), default=None),
    )


async def robots_page(
    connection: asyncpg.Connection, wanted: Filter, sort: Sort, cursor: str | None, limit: int
) -> RobotsPage:
    """At most `limit` robots from `cursor` on (None: from the first). Raises SettingError for a cursor that is none
    or of another sort, and for a limit outside 1..PAGE_AT_MOST.
    """
    if not 1 <= limit <= PAGE_AT_MOST:
        raise SettingError(f"limit {limit}: give 1 to {PAGE_AT_MOST}")
    after = None if cursor is None else _read_cursor(cursor, sort)
    as_of = datetime.now(UTC) if after is None else _EPOCH + timedelta(microseconds=after.as_of_us)
    position = (None, None) if after is None else (after.score, after.robot_id)
    condition = of_robot(wanted, first=6)
    rows = await ask(
        connection, "fleet_page", _UPWARDS, as_of, *position, limit + 1, *condition.parameters,
        condition=condition.sql, score=_SCORES[sort], order=_ORDERS[sort], after=_AFTER[sort],
    )  # fmt: skip
    counted = of_robot(wanted)
    (total,) = await ask(connection, "fleet_count", *counted.parameters, condition=counted.sql)
    robots = [_line(row) for row in rows[:limit]]
    more = len(rows) > limit
    ended = _Cursor(sort, _microseconds(as_of), robots[-1].score, robots[-1].robot_id) if more else None
    return RobotsPage(robots=robots, total=total["robots"], cursor=None if ended is None else _written(ended))


async def grid(connection: asyncpg.Connection, wanted: Filter, group_by: GroupBy) -> Grid:
    """Every robot that meets a filter."""
    now = datetime.now(UTC)
    condition = of_robot(wanted, first=2)
    rows = await ask(
        connection, "fleet_grid", now, *condition.parameters, condition=condition.sql, key=_GROUP_KEYS[group_by],
        status=_STATUS_DIGIT,
    )  # fmt: skip
    groups: list[Group] = []
    for row in rows:
        first = groups[-1].first + groups[-1].count if groups else 0
        groups.append(Group(key=row["key"], first=first, count=row["robots"]))
    return Grid(
        as_of_us=_microseconds(now),
        statuses=_STATUSES,
        groups=groups,
        codes="".join(row["codes"] for row in rows),
        status="".join(row["status"] for row in rows),
        zone="".join(row["zone"] for row in rows),
        unacknowledged="".join(row["unacknowledged"] for row in rows),
        age_s=_integers(b"".join(row["age_s"] for row in rows)),
    )


async def sparklines(
    connection: asyncpg.Connection, codes: list[str], signal: str, now: datetime, hours: int = 24
) -> list[Sparkline]:
    """The worst value of a signal (of its worst joint) hour by hour, of the robots of a page, in the order of
    `codes`. `signal`: a name of the signal table. Raises KeyError.
    """
    known = SIGNAL[signal]
    last = now.replace(minute=0, second=0, microsecond=0)
    first = last - (hours - 1) * HOUR
    worst = _worst(known)
    rows = await ask(connection, "fleet_sparklines", codes, first, now, hourly=worst, newest=worst)
    values: dict[str, list[float | None]] = {code: [None] * hours for code in codes}
    for row in rows:
        hour = (row["start"] - first) // HOUR
        if 0 <= hour < hours and values[row["robot_id"]][hour] is None:
            values[row["robot_id"]][hour] = row["value"]
    return [Sparkline(robot_id=code, values=values[code]) for code in codes]


async def facets(connection: asyncpg.Connection, prefixes: tuple[str, ...] | None) -> Facets:
    """What there is to filter by, among the robots that the asker may see."""
    condition = of_code(Filter(prefixes=prefixes))
    found: dict[str, list[Facet]] = {"models": [], "makers": [], "software": [], "scenarios": []}
    for row in await ask(connection, "fleet_facets", *condition.parameters, condition=condition.sql):
        if len(found[row["facet"]]) < FACETS_AT_MOST:
            found[row["facet"]].append(Facet(value=row["value"], robots=row["robots"]))
    return msgspec.convert(found | {"sites": await sites(connection, prefixes)}, Facets)


async def sites(connection: asyncpg.Connection, prefixes: tuple[str, ...] | None) -> list[Facet]:
    """Where the robots are that the asker may see."""
    condition = of_code(Filter(prefixes=prefixes))
    rows = await ask(connection, "fleet_sites", *condition.parameters, condition=condition.sql)
    return [Facet(value=row["value"], robots=row["robots"]) for row in rows[:FACETS_AT_MOST]]


def _worst(signal: Signal) -> str:
    """The statistic that shows trouble first, as SQL; of a joint's signal that of the worst joint."""
    only_below = signal.below is not None and signal.above is None
    chosen = next(s for s in (*(_WORST_BELOW if only_below else ()), *_WORST_OF) if s in signal.statistics)
    column = f"{signal.name}_{chosen}"
    if signal.component is not Component.JOINT:
        return column
    return f"SELECT {'min' if only_below else 'max'}(one) FROM unnest({column}) AS one"  # noqa: S608 -- our names


def _line(row: asyncpg.Record) -> RobotLine:
    """The trouble without what was done about it: a list has no room for both."""
    return msgspec.convert(dict(row) | {"text": matter(row["text"], row["actor"], row["note"])}, RobotLine)


def _written(cursor: _Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).decode()


def _read_cursor(text: str, sort: Sort) -> _Cursor:
    try:
        cursor = msgspec.msgpack.decode(base64.b64decode(text, b"-_", validate=True), type=_Cursor)
    except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error, ValueError):
        raise SettingError("this cursor is none: begin with the first page") from None
    if cursor.sort is not sort:
        raise SettingError(f"this cursor belongs to a list sorted by {cursor.sort}, not {sort}")
    return cursor


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _integers(packed: bytes) -> list[int]:
    """From 4 bytes each, the highest first."""
    numbers = array("i", packed)
    if byteorder == "little":
        numbers.byteswap()
    return numbers.tolist()
