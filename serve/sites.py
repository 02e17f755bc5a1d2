"""Saying where robots are.

In: an asyncpg connection with the owner's rights. Out: rows of `robot_site`. Called by `robovitals site`; the
fleet's questions (`serve/fleet.py`) group and filter by it.
"""

import csv
import re
from collections.abc import Iterable, Sequence

import asyncpg
import msgspec

from schemas.errors import SettingError
from schemas.robot_code import RobotCode, checked_code

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,60}\Z")


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """`robots` are placed there, `heard` of them have sent something."""

    name: str
    robots: int
    heard: int


class Placing(msgspec.Struct, frozen=True):
    """One robot and its site."""

    code: RobotCode
    site: str


async def place(connection: asyncpg.Connection, placings: Sequence[Placing]) -> None:
    """All of them or none; a robot that was elsewhere is there from now on."""
    await connection.execute(
        "INSERT INTO robot_site (robot_id, site) SELECT * FROM unnest($1::text[], $2::text[])"
        " ON CONFLICT (robot_id) DO UPDATE SET site = excluded.site",
        [placing.code for placing in placings],
        [placing.site for placing in placings],
    )


async def clear(connection: asyncpg.Connection, codes: Sequence[str]) -> int:
    """These robots are nowhere any more; how many were somewhere."""
    gone = await connection.fetch(
        "DELETE FROM robot_site WHERE robot_id = ANY ($1) RETURNING robot_id", list(codes)
    )
    return len(gone)


async def sites(connection: asyncpg.Connection) -> list[Site]:
    """All of them, by name."""
    rows = await connection.fetch(
        "SELECT site AS name, count(*) AS robots, count(robot.robot_id) AS heard"
        " FROM robot_site LEFT JOIN robot USING (robot_id) GROUP BY site ORDER BY site"
    )
    return [msgspec.convert(dict(row), Site) for row in rows]


def checked_site(text: str) -> str:
    """Raises SettingError for what is no name."""
    name = text.strip()
    if not _NAME.match(name):
        raise SettingError(f"{text[:80]!r} is no name of a site: give 1 to 60 characters of text")
    return name


def read_placings(lines: Iterable[str]) -> list[Placing]:
    """From a CSV with columns `robot_id` and `site`, others left out; of a code that is there twice the last
    counts.

    Raises SettingError with the line that is wrong.
    """
    table = csv.DictReader(lines)
    if missing := {"robot_id", "site"} - set(table.fieldnames or ()):
        raise SettingError(f"the head has no column {', '.join(sorted(missing))}")
    found: dict[str, Placing] = {}
    for row in table:
        try:
            code = checked_code(row["robot_id"] or "")
            found[code] = Placing(code, checked_site(row["site"] or ""))
        except SettingError as error:
            raise SettingError(f"line {table.line_num}: {error}") from None
    return list(found.values())
