"""A robot's logbook: what it says, and entries that authors have signed by themselves.

In: requests of the API, some with a signed entry. Out: the logbook as JSON, or what became of the entry, which goes
to the topic `fleet.logbook`. The server has no author's key: it hands on what it is given, once it has been held
against the logbook. Included by `serve/app.py`.
"""

import asyncio
import time
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Request

from schemas.chain import Fault, try_on
from schemas.entry import decode_submission, encode_submission
from schemas.errors import RejectError, SettingError
from schemas.robot_code import RobotCode, checked_code
from schemas.topics import LOGBOOK
from serve import database
from serve.context import Context
from serve.contract import API, route
from serve.identity import needs
from serve.logbook import Place, books_of, numbers_of, opened_of, records_of, refusals_of
from serve.logbook_view import EntryLine, lines_of
from serve.people import ALL_ROBOTS, Person, Role
from serve.publish import Publisher

router = APIRouter(prefix=API, tags=["logbook"])
LONGEST_WAIT_S = 15.0
_LOOK_EVERY_S = 0.1


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """`number` is the entry's in its logbook; null: it is on its way, and GET will show it."""

    entry_id: str
    number: int | None


@route(router, "GET", "/robots/{code}/logbook", Role.VIEWER, list[EntryLine])
async def logbook(
    request: Request,
    person: Annotated[Person, Depends(needs(Role.VIEWER))],
    code: str,
    after: Annotated[int, Query(ge=0)] = 0,
    count: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> list[EntryLine]:
    """What its logbook says, in the order of its entries; names are for operators."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        robot_id = checked_code(code)
        records, opened = await records_of(connection, robot_id), await opened_of(connection, robot_id)
    lines = await asyncio.to_thread(lines_of, robot_id, records, opened, person.role.may(Role.OPERATOR))
    return [line for line in lines if line.number > after][:count]


@route(router, "POST", "/robots/{code}/logbook", Role.OPERATOR, Taken, takes=dict[str, Any])
async def append(
    request: Request,
    person: Annotated[Person, Depends(needs(Role.OPERATOR))],
    code: str,
    wait_s: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S)] = 10.0,
) -> Taken:
    """Append an entry that its author has signed (docs/logbook.md says how); waits until it is there."""
    robot_id = _visible(person, checked_code(code))
    context: Context = request.app.state.context
    try:
        submission = decode_submission(await request.body())
        entry = submission.signed.entry
        if entry.robot_id != robot_id:
            raise RejectError(Fault.OTHER_ROBOT, f"it is about robot {entry.robot_id}")
        async with context.reading(person) as connection:
            books = await books_of(connection, [entry], frozenset())
        try_on(books[robot_id], submission.signed, time.time_ns() // 1000, submission.opened)
    except RejectError as error:
        raise SettingError(str(error)) from None
    publisher: Publisher = request.app.state.publisher
    record = (robot_id.encode(), encode_submission(submission))
    (place,) = await publisher.publish(LOGBOOK.name, [record])
    number = await _number(context, person, robot_id, entry.id, place, wait_s)
    return Taken(entry_id=entry.id, number=number)


def _visible(person: Person, code: RobotCode) -> RobotCode:
    """A robot without an entry has no row that could tell who may see it."""
    if not any(prefix == ALL_ROBOTS or code.startswith(prefix) for prefix in person.prefixes):
        raise HTTPException(404, f"robot {code} is in none of your fleets")
    return code


async def _number(
    context: Context, person: Person, code: RobotCode, entry_id: str, place: Place, wait_s: float
) -> int | None:
    """Once the lander has been there. Raises SettingError where it did not append it."""
    until_s = time.monotonic() + wait_s
    while True:
        async with context.own() as connection:
            offsets = await database.landed_offsets(connection, LOGBOOK.name)
            is_landed = offsets.get(place[0], 0) > place[1]
            if is_landed and (refusal := (await refusals_of(connection, [place])).get(place)):
                raise SettingError(f"{refusal.reason}: {refusal.detail}")
        if is_landed:
            async with context.reading(person) as connection:
                return (await numbers_of(connection, code, [entry_id])).get(entry_id)
        if time.monotonic() > until_s:
            return None
        await asyncio.sleep(_LOOK_EVERY_S)
