"""Who asks, and what they may do.

In: a secret, as a program or a browser sends it. Out: a `Person`, or nobody. Called by `serve/identity.py` before
every route. Who gives, lists and revokes is `serve/credentials.py`.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

import asyncpg
import msgspec

SESSION_FOR = timedelta(hours=12)
"""A session that nobody uses ends after this; one that is used goes on."""
SESSION_AT_MOST = timedelta(days=7)
"""Then its holder logs in again, whatever they do."""
NOTED_EVERY = timedelta(minutes=5)
"""A credential's use is written down that often, so that a question of the page is no write."""
ALL_ROBOTS = "*"
PREFIX = "rv_"


class Role(StrEnum):
    """Each may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def may(self, needed: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """`fleets` None: every robot. `prefixes`: how the codes of the robots begin that they may see. `credential`:
    the digest of the token or session that they came with; None where a proxy has logged them in.
    """

    name: str
    role: Role
    fleets: tuple[str, ...] | None
    prefixes: tuple[str, ...]
    credential: bytes | None = None

    @property
    def sees_all(self) -> bool:
        return self.fleets is None


class Secret(msgspec.Struct, frozen=True):
    """What is shown once, and what is kept of it."""

    text: str
    digest: bytes


def new_secret() -> Secret:
    text = f"{PREFIX}{secrets.token_urlsafe(32)}"
    return Secret(text, digest_of(text))


def digest_of(text: str) -> bytes:
    """A secret has 256 random bits, so a plain hash of it tells nobody anything. A secret is looked for by its hash
    alone, whatever it looks like: how long that takes says nothing about one that exists.
    """
    return hashlib.sha256(text.encode()).digest()


async def person_of(connection: asyncpg.Connection, kind: str, secret: str) -> Person | None:
    """Who holds this token or session; None when nobody does, or not any more."""
    row = await connection.fetchrow(
        "SELECT digest, name, role, fleets, used IS NULL OR used < now() - $3::interval AS noted_long_ago"
        " FROM credential WHERE digest = $1 AND kind = $2 AND expires > now()",
        digest_of(secret),
        kind,
        NOTED_EVERY,
    )
    if row is None:
        return None
    if row["noted_long_ago"]:
        await _note_use(connection, row["digest"])
    return await as_person(connection, row["name"], row["role"], row["fleets"], row["digest"])


async def as_person(
    connection: asyncpg.Connection,
    name: str,
    role: str,
    fleets: list[str] | tuple[str, ...] | None,
    credential: bytes | None = None,
) -> Person:
    """With the prefixes of their fleets' robots, as they are now."""
    if fleets is None:
        return Person(name=name, role=Role(role), fleets=None, prefixes=(ALL_ROBOTS,), credential=credential)
    prefixes = await prefixes_of(connection, fleets)
    return Person(name=name, role=Role(role), fleets=tuple(fleets), prefixes=prefixes, credential=credential)


async def prefixes_of(connection: asyncpg.Connection, fleets: Iterable[str]) -> tuple[str, ...]:
    """How the codes of these fleets' robots begin, as they are now."""
    rows = await connection.fetch(
        "SELECT DISTINCT prefix FROM fleet_robots WHERE fleet = ANY ($1) ORDER BY prefix", list(fleets)
    )
    return tuple(row["prefix"] for row in rows)


async def _note_use(connection: asyncpg.Connection, digest: bytes) -> None:
    """A session that is used lives on."""
    await connection.execute(
        "UPDATE credential SET used = now(), expires = CASE WHEN kind = 'session'"
        " THEN greatest(expires, least(now() + $2::interval, created + $3::interval)) ELSE expires END"
        " WHERE digest = $1",
        digest,
        SESSION_FOR,
        SESSION_AT_MOST,
    )
