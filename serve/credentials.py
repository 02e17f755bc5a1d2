"""Giving access and taking it away again: credentials, sessions and fleets.

In: an asyncpg connection with the owner's rights. Out: secrets that are shown once, and lists. Called by
`robovitals access`, by whoever prints a link to the page, and by who logs in with one.
"""

import re
from datetime import datetime, timedelta

import asyncpg
import msgspec

from schemas.errors import SettingError
from serve.people import SESSION_FOR, Role, digest_of, new_secret

LINK_FOR = timedelta(minutes=15)
_PREFIX = re.compile(r"[0-9A-Z]{1,29}\Z")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}\Z")


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What opens the page or the API, without its secret. `fleets` None: every robot."""

    id: int
    kind: str
    name: str
    role: str
    fleets: list[str] | None
    created: datetime
    expires: datetime
    used: datetime | None


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """The robots whose code begins with one of the prefixes; `robots`: how many of them there are now."""

    name: str
    prefixes: list[str]
    robots: int


async def give(
    connection: asyncpg.Connection, kind: str, name: str, role: Role, fleets: list[str] | None, lasts: timedelta
) -> str:
    """A new token's or link's secret. Raises SettingError when it would give something that does not exist."""
    if not _NAME.match(name):
        raise SettingError(f"{name!r} is no name: give 1 to 100 characters of text")
    if role is Role.ADMIN and fleets is not None:
        raise SettingError("an admin sees every robot: leave out --fleet, or give another --role")
    known = {row["fleet"] for row in await connection.fetch("SELECT DISTINCT fleet FROM fleet_robots")}
    if unknown := [fleet for fleet in fleets or () if fleet not in known]:
        there = ", ".join(sorted(known)) or "none"
        raise SettingError(f"no fleet {unknown[0]} (there are: {there}): robovitals access fleet add NAME PREFIX")
    return await _keep(connection, kind, name, role, fleets, lasts)


async def log_in(connection: asyncpg.Connection, link: str) -> tuple[str, str] | None:
    """Their name and a session for whoever brings a link that was not used before; None when it is no such link."""
    async with connection.transaction():
        row = await connection.fetchrow(
            "DELETE FROM credential WHERE digest = $1 AND kind = 'link' AND expires > now()"
            " RETURNING name, role, fleets",
            digest_of(link),
        )
        if row is None:
            return None
        name: str = row["name"]
        return name, await _keep(connection, "session", name, Role(row["role"]), row["fleets"], SESSION_FOR)


async def log_out(connection: asyncpg.Connection, session: str) -> None:
    await connection.execute("DELETE FROM credential WHERE digest = $1 AND kind = 'session'", digest_of(session))


async def credentials(connection: asyncpg.Connection) -> list[Credential]:
    """Those that open something now, by name."""
    rows = await connection.fetch(
        "SELECT id, kind, name, role, fleets, created, expires, used FROM credential"
        " WHERE expires > now() ORDER BY name, kind, id"
    )
    return [msgspec.convert(dict(row), Credential) for row in rows]


async def revoke(connection: asyncpg.Connection, name: str | None, number: int | None) -> list[Credential]:
    """All that this person or program has, or the one with this number; from now on it opens nothing."""
    rows = await connection.fetch(
        "DELETE FROM credential WHERE name = $1 OR id = $2"
        " RETURNING id, kind, name, role, fleets, created, expires, used",
        name,
        number,
    )
    return [msgspec.convert(dict(row), Credential) for row in rows]


async def tokens_exist(connection: asyncpg.Connection) -> bool:
    return bool(
        await connection.fetchval("SELECT EXISTS (SELECT FROM credential WHERE kind = 'token' AND expires > now())")
    )


async def fleets(connection: asyncpg.Connection) -> list[Fleet]:
    """All of them, by name."""
    rows = await connection.fetch(
        "SELECT fleet AS name, array_agg(prefix ORDER BY prefix) AS prefixes,"
        " (SELECT count(*) FROM robot WHERE robot_id ^@ ANY (array_agg(prefix))) AS robots"
        " FROM fleet_robots GROUP BY fleet ORDER BY fleet"
    )
    return [msgspec.convert(dict(row), Fleet) for row in rows]


async def add_to_fleet(connection: asyncpg.Connection, fleet: str, prefixes: list[str]) -> None:
    """Raises SettingError when one is no beginning of a robot code."""
    if not _NAME.match(fleet):
        raise SettingError(f"{fleet!r} is no name: give 1 to 100 characters of text")
    await connection.executemany(
        "INSERT INTO fleet_robots (fleet, prefix) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        [(fleet, checked_prefix(prefix)) for prefix in prefixes],
    )


async def remove_from_fleet(connection: asyncpg.Connection, fleet: str, prefixes: list[str]) -> int:
    """How many of the prefixes (all of them where none is named) went."""
    rows = await connection.fetch(
        "DELETE FROM fleet_robots WHERE fleet = $1 AND (prefix = ANY ($2) OR $2 = '{}') RETURNING prefix",
        fleet,
        [checked_prefix(prefix) for prefix in prefixes],
    )
    return len(rows)


def checked_prefix(text: str) -> str:
    """As codes are written; hyphens and spaces are left out, as everywhere."""
    prefix = text.replace("-", "").replace(" ", "").upper()
    if not _PREFIX.match(prefix):
        raise SettingError(f"{text!r} is no beginning of a robot code: digits and letters, at most 29")
    return prefix


async def _keep(
    connection: asyncpg.Connection, kind: str, name: str, role: Role, fleets: list[str] | None, lasts: timedelta
) -> str:
    """Make a credential and return its secret, which is not kept. Those that ended long ago are forgotten."""
    secret = new_secret()
    await connection.execute("DELETE FROM credential WHERE expires < now() - interval '7 days'")
    await connection.execute(
        "INSERT INTO credential (digest, kind, name, role, fleets, expires)"
        " VALUES ($1, $2, $3, $4, $5, now() + $6::interval)",
        secret.digest,
        kind,
        name,
        role.value,
        fleets,
        lasts,
    )
    return secret.text
