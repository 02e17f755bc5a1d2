"""The live stream: what changes, as server-sent events.

In: a person, and where their page left off. Out: events, until they leave, may not look any more, or it is time to
show again who they are.
`docs/api.md` says what each event holds.
"""

import time
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, HTTPException, Request
from fastapi.responses import StreamingResponse

from serve.context import Context
from serve.contract import API, ROLE
from serve.identity import needs
from serve.live import Live, event
from serve.people import Person, Role
from serve.pipeline import Beat, Pipeline, narrowed_beat
from serve.visits import Visits

router = APIRouter(prefix=API, tags=["live"])

MOST_CLIENTS = 1000
MOST_A_PERSON = 20
"""A person's open pages; more are a program that has gone wild, and take the others' places."""
STREAM = "stream"
PIPELINE_EVERY_S = 2.0
LASTS_S = 600.0
"""After that a page connects again: a proxy that has logged somebody in is asked only then."""
RETRY_MS = 1000


class Hello(msgspec.Struct, frozen=True):
    """Another epoch than a page knows: its grid's numbers mean nothing any more."""

    epoch: str
    number: int
    now_us: int


@router.get(
    "/stream",
    dependencies=[Depends(needs(Role.VIEWER))],
    openapi_extra={ROLE: Role.VIEWER.value},
    response_class=StreamingResponse,
    summary="What changes, as server-sent events: hello, status, alarm, pipeline, reset",
)
async def stream(
    request: Request,
    person: Annotated[Person, Depends(needs(Role.VIEWER))],
    since: str = "",
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """`since`, after a loss `Last-Event-ID` in its place: epoch and number of the last moment that is known."""
    context: Context = request.app.state.context
    visits: Visits = request.app.state.visits
    if visits.count(STREAM) >= MOST_CLIENTS:
        raise HTTPException(503, f"{MOST_CLIENTS} pages listen already", {"Retry-After": "30"})
    if visits.count(STREAM, person.name) >= MOST_A_PERSON:
        context.metrics.refused.labels("streams").inc()
        raise HTTPException(
            429, f"{MOST_A_PERSON} pages of {person.name} listen already: close one", {"Retry-After": "30"}
        )
    events = _events(request, visits, person, last_event_id or since)
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(request: Request, visits: Visits, person: Person, since: str) -> AsyncIterator[bytes]:
    live: Live = request.app.state.live
    until_s = time.monotonic() + LASTS_S
    context: Context = request.app.state.context
    with context.metrics.stream_clients.track_inprogress(), visits.enter(person, STREAM) as visit:
        hub, number = live.hub, _number(since, live.hub.epoch)
        yield b"retry: %d\n\n" % RETRY_MS
        yield event("hello", Hello(hub.epoch, hub.number, time.time_ns() // 1000))
        if number is None:
            if since:
                yield event("reset", {})
            number = hub.number
        told_s = 0.0
        while time.monotonic() < until_s and live.hub is hub and not visit.over:
            moments = hub.since(number)
            if moments is None:
                yield event("reset", {})
                number = hub.number
                continue
            for moment in moments:
                number = moment.number
                if written := live.bytes_of(moment, person.prefixes):
                    yield written
            if time.monotonic() - told_s >= PIPELINE_EVERY_S:
                told_s = time.monotonic()
                beat = _beat(live, request.app.state.pipeline, person)
                # With an id, so that who sees little of what happens does not fall behind what is kept.
                yield b"id: %s-%d\n%s" % (hub.epoch.encode(), number, event("pipeline", beat))
            if hub.number == number:
                await live.changed(max(0.01, told_s + PIPELINE_EVERY_S - time.monotonic()))


def _beat(live: Live, pipeline: Pipeline, person: Person) -> Beat:
    """A stream that hears nothing must not look like a fleet where nothing happens."""
    beat = pipeline.beat()
    troubles = [trouble for trouble in (beat.trouble, live.not_ready()) if trouble]
    beat = msgspec.structs.replace(beat, trouble="; ".join(troubles))
    return beat if person.sees_all else narrowed_beat(beat)


def _number(since: str, epoch: str) -> int | None:
    """Of `EPOCH-NUMBER`, if it is of this epoch."""
    name, _, number = since.partition("-")
    return int(number) if name == epoch and number.isdecimal() and len(number) < 16 else None
