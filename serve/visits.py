"""Who is being answered for longer than a moment, and whether they still may be.

In: people whose stream or export goes on. Out: visits that end as soon as their credential is revoked, has expired,
or their fleets have changed. Entered by `serve/routes/stream.py` and `serve/routes/export.py`; `watch` is a loop of
`serve/server.py`. Who was logged in by a proxy has no credential here: the proxy is asked again with the next
request.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg

from schemas.errors import UnavailableError
from serve.context import Context
from serve.people import Person, prefixes_of

LOOK_EVERY_S = 2.0
REVOKED = "the token or session that it was begun with opens nothing any more"
OTHER_FLEETS = "the robots of its fleets have changed"

_log = logging.getLogger(__name__)


class Visit:
    """`over`: why it may not go on; empty while it may."""

    def __init__(self, person: Person, kind: str, ended: Callable[[], None]) -> None:
        self.person = person
        self.kind = kind
        self.over = ""
        self._ended = ended

    def end(self, why: str) -> None:
        self.over = why
        self._ended()


class Visits:
    """Those of one server."""

    def __init__(self) -> None:
        self._open: set[Visit] = set()

    @contextmanager
    def enter(self, person: Person, kind: str, ended: Callable[[], None] = lambda: None) -> Iterator[Visit]:
        """A visit, until it is left. `ended` is called when it may not go on."""
        visit = Visit(person, kind, ended)
        self._open.add(visit)
        try:
            yield visit
        finally:
            self._open.discard(visit)

    def count(self, kind: str, name: str | None = None) -> int:
        """How many there are of a kind; of one person where it is named."""
        return sum(visit.kind == kind and name in (None, visit.person.name) for visit in self._open)

    async def watch(self, context: Context) -> None:
        """Until it is cancelled. While the database is away nobody can revoke anything either."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not self._open:
                continue
            try:
                async with context.own() as connection:
                    await self.look(connection)
            except UnavailableError as error:
                _log.warning("who is being answered is not looked at: %s", error)

    async def look(self, connection: asyncpg.Connection) -> None:
        """End what may not go on."""
        visits = list(self._open)
        known = {visit.person.credential for visit in visits} - {None}
        rows = await connection.fetch(
            "SELECT digest FROM credential WHERE digest = ANY ($1) AND expires > now()", list(known)
        )
        valid = {row["digest"] for row in rows}
        fleets = {visit.person.fleets for visit in visits} - {None}
        prefixes = {some: await prefixes_of(connection, some) for some in fleets if some is not None}
        for visit in visits:
            if visit.person.credential is not None and visit.person.credential not in valid:
                visit.end(REVOKED)
            elif visit.person.fleets is not None and prefixes[visit.person.fleets] != visit.person.prefixes:
                visit.end(OTHER_FLEETS)
