"""How the pipeline does, what it could not use, and sending that again."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request

from schemas.topics import FRAMES
from serve.context import Context
from serve.contract import API, body, route
from serve.identity import needs
from serve.people import Person, Role
from serve.pipeline import Pipeline, Report, narrowed
from serve.publish import Publisher
from serve.rejects import (
    LateWindows,
    Place,
    RejectCount,
    RejectsPage,
    late_windows,
    note_redriven,
    originals,
    reject_counts,
    rejects_page,
)
from serve.security import SecurityEvent, security_events

router = APIRouter(prefix=API, tags=["pipeline"])
Admin = Annotated[Person, Depends(needs(Role.ADMIN))]

COUNTED_FOR = timedelta(days=1)
EVENTS_OF = timedelta(days=7)
AT_ONCE = 500


class PipelinePage(msgspec.Struct, frozen=True, kw_only=True):
    """`rejects`: of the last day. `late`: windows that wait for their repair. `security`: of the last week, of
    robots that the person may see.
    """

    report: Report
    rejects: list[RejectCount]
    late: list[LateWindows]
    security: list[SecurityEvent]


class Redrive(msgspec.Struct, frozen=True, kw_only=True):
    """Rejected frames, by where they were."""

    places: Annotated[tuple[Place, ...], msgspec.Meta(min_length=1, max_length=AT_ONCE)]


class Redriven(msgspec.Struct, frozen=True, kw_only=True):
    """How many were sent; the others are no rejects of frames."""

    sent: int
    unknown: int


@route(router, "GET", "/pipeline", Role.VIEWER, PipelinePage)
async def pipeline(request: Request, person: Annotated[Person, Depends(needs(Role.VIEWER))]) -> PipelinePage:
    """Rate, lag, processes, rejects by reason, windows to be repaired, who claimed to be which robot."""
    return await pipeline_of(request, person)


async def pipeline_of(request: Request, person: Person) -> PipelinePage:
    """As far as it concerns the robots that they may see."""
    context: Context = request.app.state.context
    state: Pipeline = request.app.state.pipeline
    report, now = state.report(), datetime.now(UTC)
    async with context.reading(person) as connection:
        security = await security_events(connection, (now - EVENTS_OF).date())
    async with context.own() as connection:
        return PipelinePage(
            report=report if person.sees_all else narrowed(report),
            rejects=await reject_counts(connection, now - COUNTED_FOR, person),
            late=await late_windows(connection, person),
            security=security,
        )


@route(router, "GET", "/rejects", Role.ADMIN, RejectsPage)
async def rejects(
    request: Request,
    person: Admin,
    reason: str | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> RejectsPage:
    """What could not be used, newest first, decoded as far as it goes."""
    context: Context = request.app.state.context
    async with context.own() as connection:
        return await rejects_page(connection, reason, cursor, limit)


@route(router, "POST", "/rejects/redrive", Role.ADMIN, Redriven, takes=Redrive)
async def redrive(request: Request, person: Admin, wanted: Annotated[Redrive, Depends(body(Redrive))]) -> Redriven:
    """Send the original bytes of rejected frames again, after a fix: each becomes a row, or a new reject."""
    context: Context = request.app.state.context
    publisher: Publisher = request.app.state.publisher
    async with context.own() as connection:
        found = await originals(connection, wanted.places)
    await publisher.publish(FRAMES.name, [(one.key, one.value) for one in found], [one.seal for one in found])
    async with context.own() as connection:
        await note_redriven(connection, [one.place for one in found], person.name)
    return Redriven(sent=len(found), unknown=len(wanted.places) - len(found))
