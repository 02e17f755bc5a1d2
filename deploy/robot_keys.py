"""Robots' keys as the database has them: given, replaced, revoked, listed; and whose frames must be sealed.

In: a connection. Out: what was changed, and what is. Called by `robovitals robot`. No secret passes here: a key
follows from the master key, the robot's code and the version.

A change holds from TAKES_EFFECT_S after it is made, so that every process has read it by then
(`schemas/keyring.py`). That counts from the statement, not from the transaction's `now()`: before it a transaction
may wait for the lock or for Kafka, and a change that held from the past would be one that some have not judged by.
Changes are made one after the other, under the lock: readers ask for what is newer than the last they have seen.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from schemas.errors import SettingError
from schemas.keyring import TAKES_EFFECT_S
from schemas.robot_code import RobotCode
from schemas.seal import MAX_KEY_VERSION

_LOCK = "SELECT pg_advisory_xact_lock($1)"
_LOCKED = 0x6B657972696E67  # any number that nobody else uses: "keyring"
_EFFECT = timedelta(seconds=TAKES_EFFECT_S)

_LATEST = """
SELECT max(key_version) AS latest, max(key_version) FILTER (WHERE ends IS NULL) AS in_force
FROM robot_credential WHERE robot_id = $1"""
_GIVE = """
INSERT INTO robot_credential (robot_id, key_version, created_by, kafka_user) VALUES ($1, $2, $3, $4)"""
_END = """
UPDATE robot_credential
SET ends = least(ends, clock_timestamp() + $2), revoked = $3, ended_by = $4, change = DEFAULT
WHERE robot_id = $1 AND key_version <= $5 AND (ends IS NULL OR $3 AND NOT revoked AND ends > now())
RETURNING key_version, kafka_user"""
# A key that ends as soon as a change can hold ($1) is over for Kafka at once: an agent that is refused keeps its
# frames, one that is let in sends them to be rejected.
_ENDED_USERS = """
SELECT robot_id, key_version, kafka_user FROM robot_credential
WHERE kafka_user <> '' AND (revoked OR ends <= now() + $1)"""
_FORGET_USER = "UPDATE robot_credential SET kafka_user = '' WHERE robot_id = $1 AND key_version = $2"
_LIST = """
SELECT robot_credential.robot_id, key_version,
    CASE WHEN ends IS NULL THEN 'active' WHEN revoked THEN 'revoked' WHEN ends > now() THEN 'retiring'
        ELSE 'ended' END AS state,
    created, created_by, ends, ended_by, kafka_user, used, health.last_seen
FROM robot_credential LEFT JOIN health USING (robot_id)
WHERE robot_credential.robot_id ^@ $1
ORDER BY robot_id, key_version"""
_SET_POLICY = """
INSERT INTO seal_policy (maker, since, policy, set_by) VALUES ($1, clock_timestamp() + $2, $3, $4)"""
_POLICIES = """
SELECT DISTINCT ON (maker) maker, since, policy, set_by FROM seal_policy ORDER BY maker, since DESC"""

MakeUser = Callable[[str], Awaitable[None]]
"""Lets a new user of Kafka in. Raises where Kafka does not take it; then the key is not given either."""


class Key(msgspec.Struct, frozen=True):
    """One version of a robot's key. `used`: when a lander saw the robot begin to use it."""

    robot_id: str
    key_version: int
    state: str
    created: datetime
    created_by: str
    ends: datetime | None
    ended_by: str
    kafka_user: str
    used: datetime | None
    last_seen: datetime | None


class Policy(msgspec.Struct, frozen=True):
    """What holds, from `since` on, for the frames of a maker's robots."""

    maker: str
    since: datetime
    policy: str
    set_by: str


def user_of(code: RobotCode, key_version: int) -> str:
    """A user a version, so that the old password works for as long as the old key does."""
    return f"robot-{code}-{key_version}"


async def give(connection: asyncpg.Connection, code: RobotCode, actor: str, make_user: MakeUser | None) -> int:
    """A robot's first key, or one after all were revoked. Returns its version. Raises SettingError."""
    async with connection.transaction():
        latest, in_force = await _locked(connection, code)
        if in_force is not None:
            raise SettingError(f"{code} has a key already, version {in_force}: robovitals robot rotate {code}")
        return await _give(connection, code, latest + 1, actor, make_user)


async def replace(
    connection: asyncpg.Connection, code: RobotCode, overlap: timedelta, actor: str, make_user: MakeUser | None
) -> int:
    """A new key; the one before stays good for `overlap`. Returns the new one's version. Raises SettingError."""
    async with connection.transaction():
        latest, in_force = await _locked(connection, code)
        if in_force is None:
            raise SettingError(f"{code} has no key that is in force: robovitals robot register {code}")
        given = await _give(connection, code, latest + 1, actor, make_user)
        await connection.execute(_END, code, max(overlap, _EFFECT), False, actor, latest)
        return given


async def revoke(connection: asyncpg.Connection, code: RobotCode, actor: str) -> list[int]:
    """End all of a robot's keys. Returns their versions. Raises SettingError where there is none to end."""
    async with connection.transaction():
        await connection.execute(_LOCK, _LOCKED)
        ended = await connection.fetch(_END, code, _EFFECT, True, actor, MAX_KEY_VERSION)
    if not ended:
        raise SettingError(f"{code} has no key that is in force: robovitals robot list")
    return sorted(row["key_version"] for row in ended)


async def forget_users(connection: asyncpg.Connection, delete: Callable[[str], Awaitable[None]]) -> list[str]:
    """Take the users of all keys that have ended away from Kafka. Returns their names."""
    rows = await connection.fetch(_ENDED_USERS, _EFFECT)
    for row in rows:
        await delete(row["kafka_user"])
        await connection.execute(_FORGET_USER, row["robot_id"], row["key_version"])
    return [row["kafka_user"] for row in rows]


async def keys(connection: asyncpg.Connection, prefix: str) -> list[Key]:
    """Of robots whose code begins so."""
    return [Key(**row) for row in await connection.fetch(_LIST, prefix)]


async def set_policy(connection: asyncpg.Connection, maker: str, policy: str, actor: str) -> None:
    async with connection.transaction():
        await connection.execute(_LOCK, _LOCKED)
        await connection.execute(_SET_POLICY, maker, _EFFECT, policy, actor)


async def policies(connection: asyncpg.Connection) -> list[Policy]:
    """The latest of each maker."""
    return [Policy(**row) for row in await connection.fetch(_POLICIES)]


async def _locked(connection: asyncpg.Connection, code: RobotCode) -> tuple[int, int | None]:
    """The latest version there ever was (0: none), and the one in force."""
    await connection.execute(_LOCK, _LOCKED)
    row: Any = await connection.fetchrow(_LATEST, code)
    return row["latest"] or 0, row["in_force"]


async def _give(
    connection: asyncpg.Connection, code: RobotCode, version: int, actor: str, make_user: MakeUser | None
) -> int:
    if version > MAX_KEY_VERSION:
        raise SettingError(f"{code} has had {MAX_KEY_VERSION} keys: give the robot another code")
    user = user_of(code, version) if make_user is not None else ""
    await connection.execute(_GIVE, code, version, actor, user)
    if make_user is not None:
        await make_user(user)
    return version
