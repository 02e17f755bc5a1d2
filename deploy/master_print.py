"""Whether all who verify or give out robots' keys have the same master key: its fingerprint in the database.

In: a connection, the master key. Out: nothing, or an error that says who differs. Called by `deploy/keys.py` for
the processes, and by `robovitals robot`. With two master keys a lander would reject what a summariser believes.
"""

from typing import TypeAlias

import asyncpg

from schemas.errors import StopError
from schemas.seal import fingerprint

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_SET_FIRST = "INSERT INTO seal_master (fingerprint, set_by) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_READ = "SELECT fingerprint, since, set_by FROM seal_master"
_ADOPT = """
INSERT INTO seal_master (fingerprint, set_by) VALUES ($1, $2)
ON CONFLICT (is_one) DO UPDATE SET fingerprint = excluded.fingerprint, since = now(), set_by = excluded.set_by"""


async def agree(connection: Connection, master: bytes, who: str) -> None:
    """The first that asks sets it. Raises StopError where ours is another than the database's."""
    ours = fingerprint(master)
    known = await connection.fetchrow(_READ)
    if known is None:
        await connection.execute(_SET_FIRST, ours, who)
        known = await connection.fetchrow(_READ)
    if known is not None and known["fingerprint"] != ours:
        raise StopError(
            f"this master key ({_short(ours)}) is not the one that this database's robots' keys follow from "
            f"({_short(known['fingerprint'])}, set {known['since']:%Y-%m-%d %H:%M} by {known['set_by']}): give "
            "land, summarise and `robovitals robot` the same file; `robovitals robot master --adopt` has this one "
            "count from now on"
        )


async def adopt(connection: Connection, master: bytes, who: str) -> None:
    """From now on this one counts: processes that have another stop, and every robot needs another key."""
    await connection.execute(_ADOPT, fingerprint(master), who)


def _short(print_: bytes) -> str:
    return print_.hex()[:8]
