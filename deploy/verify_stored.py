"""A logbook of the database against keys and checkpoints: those that are given, or the stack's own.

In: settings and a code. Out: a `Verdict`, and what it was held against. Called by `robovitals verify-log CODE`.
"""

import asyncio
from collections.abc import Sequence

from deploy.checkpoints import checkpoints_file
from deploy.platform_key import known_platforms, public_keys_file
from deploy.settings import Settings, endpoints
from deploy.stored_logbook import check_stored
from processors.checkpoint_file import last_of
from schemas.checkpoint import Published
from schemas.errors import RejectError, SettingError, UnavailableError
from schemas.logbook_check import Verdict
from serve import database
from serve.logbook_export import Stored, checkpoints_after, read_logbook


def verify_stored(
    settings: Settings, code: str, platforms: frozenset[str] | None, published: Sequence[Published]
) -> tuple[Verdict, list[str]]:
    """Raises SettingError where there is no such logbook, or nothing to hold it against."""
    notes, lines = [], list(published)
    if platforms is None:
        platforms = known_platforms(settings)
        if not platforms:
            raise SettingError("there is no platform's key here: give its public one with --keys")
        notes.append(f"  held against the stack's own keys: {public_keys_file(settings)}")
    if not lines:
        path = checkpoints_file(settings)
        kept = last_of(path)
        lines = [] if kept is None else [kept]
        notes.append(
            f"  held against the stack's own checkpoints: {path if lines else 'the database'}; one that you kept "
            "elsewhere proves more (--checkpoint)"
        )
    newest = max((line.checkpoint.size for line in lines), default=0)
    try:
        stored, later = asyncio.run(_read(settings, code, newest))
        verdict = check_stored(stored, platforms, [*lines, *later])
    except RejectError as error:
        raise UnavailableError(f"the database's checkpoints cannot be read: {error.detail}") from None
    if not stored.rows and stored.head is None:
        raise SettingError(f"robot {code} has no logbook")
    return verdict, notes


async def _read(settings: Settings, code: str, newest: int) -> tuple[Stored, list[Published]]:
    """With the checkpoints since: the logbook's proof leads to the newest of all."""
    async with (
        database.connected(endpoints(settings).database_url) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await read_logbook(connection, code), await checkpoints_after(connection, newest)
