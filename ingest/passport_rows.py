"""What the logbooks say of each robot as it is now: the tables `passport` and `installed_part`.

In: an open transaction and the records that it has appended. Out: those robots' rows, made anew. Called by the
lander where it appends entries. An entry may be late, or take back one that was there, so nothing is added up: the
rows follow from all of a robot's entries that they are about.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import asyncpg

from ingest.parameters import transposed
from schemas.entry import Record, readable
from schemas.history import History, Part, Status, fold
from schemas.logbook import (
    Correction,
    PartInstalled,
    PartRemoved,
    RecallDone,
    Recalled,
    Registered,
    Scrapped,
    kind_name,
)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_ABOUT = tuple(
    kind_name(kind) for kind in (Registered, PartInstalled, PartRemoved, Recalled, RecallDone, Scrapped, Correction)
)

_READ = """
SELECT robot_id, number, record FROM logbook_entry
WHERE robot_id = ANY ($1::text[]) AND kind = ANY ($2::text[]) ORDER BY robot_id, number"""

_ADD_PASSPORTS = """
INSERT INTO passport (robot_id, maker, model, level, joints, made, registered, status, status_since)
SELECT robot_id, maker, model, level, joints, to_timestamp(0) + made_us * interval '1 us',
    to_timestamp(0) + registered_us * interval '1 us', status, to_timestamp(0) + since_us * interval '1 us'
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::bigint[], $8::text[],
            $9::bigint[])
    AS new (robot_id, maker, model, level, joints, made_us, registered_us, status, since_us)
ON CONFLICT (robot_id) DO UPDATE
SET maker = excluded.maker, model = excluded.model, level = excluded.level, joints = excluded.joints,
    made = excluded.made, registered = excluded.registered, status = excluded.status,
    status_since = excluded.status_since"""
_DROP_PASSPORTS = "DELETE FROM passport WHERE robot_id = ANY ($1::text[])"

_ADD_PARTS = """
INSERT INTO installed_part (robot_id, component, serial, part, installed)
SELECT robot_id, component, serial, part, to_timestamp(0) + us * interval '1 us'
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
    AS new (robot_id, component, serial, part, us)
ON CONFLICT (robot_id, component) DO UPDATE
SET serial = excluded.serial, part = excluded.part, installed = excluded.installed
WHERE (installed_part.serial, installed_part.part, installed_part.installed)
      IS DISTINCT FROM (excluded.serial, excluded.part, excluded.installed)"""
_DROP_PARTS = """
DELETE FROM installed_part
WHERE robot_id = ANY ($1::text[])
  AND (robot_id, component) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))"""


async def project(connection: Connection, records: Sequence[Record]) -> None:
    """Make the rows anew of the robots that these records are about."""
    at_hand = {_place(record): record for record in records}
    codes = sorted({r.signed.entry.robot_id for r in records if kind_name(type(r.signed.entry.what)) in _ABOUT})
    if not codes:
        return
    logbooks: dict[str, list[Record]] = {code: [] for code in codes}
    for row in await connection.fetch(_READ, codes, _ABOUT):
        known = at_hand.get((row["robot_id"], row["number"]))
        logbooks[row["robot_id"]] += [known] if known else readable([row["record"]])[0]
    histories = [fold(code, entries) for code, entries in logbooks.items()]
    await _set_passports(connection, histories)
    await _set_parts(connection, codes, histories)


def _place(record: Record) -> tuple[str, int]:
    return record.signed.entry.robot_id, record.link.number


async def _set_passports(connection: Connection, histories: Iterable[History]) -> None:
    rows = {history.robot_id: _passport(history) for history in histories}
    if gone := [code for code, row in rows.items() if row is None]:
        await connection.execute(_DROP_PASSPORTS, gone)
    if held := [row for row in rows.values() if row is not None]:
        await connection.execute(_ADD_PASSPORTS, *transposed(held))


def _passport(history: History) -> tuple[Any, ...] | None:
    """None: no entry that holds registers it."""
    registered = history.registered
    if registered is None:
        return None
    what = registered.what
    return (
        history.robot_id, what.maker, what.model, what.level, what.joints, what.made_us, registered.happened_us,
        history.status, _since_us(history, registered.happened_us),
    )  # fmt: skip


def _since_us(history: History, registered_us: int) -> int:
    match history.status:
        case Status.SCRAPPED if history.scrapped is not None:
            return history.scrapped.happened_us
        case Status.RECALLED:
            return min(recall.happened_us for recall in history.open_recalls)
        case _:
            return registered_us


async def _set_parts(connection: Connection, codes: Sequence[str], histories: Iterable[History]) -> None:
    rows = [
        (history.robot_id, part.component, part.serial, part.part, part.installed_us)
        for history in histories
        for part in history.parts
        if _is_in_place(part)
    ]
    columns = transposed(rows) if rows else [[] for _ in range(5)]
    await connection.execute(_DROP_PARTS, codes, columns[0], columns[1])
    await connection.execute(_ADD_PARTS, *columns)


def _is_in_place(part: Part) -> bool:
    return part.removed_us is None
