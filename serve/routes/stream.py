"""The live stream: what changes, as server-sent events.

In: a person, and where their page left off. Out: events, until they leave or it is time to show again who they are.
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
from serve.pipeline import Beat, Pipeline

router = APIRouter(prefix=API, tags=["live"])

MOST_CLIENTS = 1000
PIPELINE_EVERY_S = 2.0
LASTS_S = 600.0
"""After that a page connects again, so that whoever may not look any more does not."""
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
    if context.streams >= MOST_CLIENTS:
        raise HTTPException(503, f"{MOST_CLIENTS} pages listen already", {"Retry-After": "30"})
    events = _events(context, request.app.state.live, request.app.state.pipeline, person, last_event_id or since)
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(
    context: Context, live: Live, pipeline: Pipeline, person: Person, since: str
) -> AsyncIterator[bytes]:
    until_s = time.monotonic() + LASTS_S
    with context.streaming():
        hub, number = live.hub, _number(since, live.hub.epoch)
        yield b"retry: %d\n\n" % RETRY_MS
        yield event("hello", Hello(hub.epoch, hub.number, time.time_ns() // 1000))
        if number is None:
            if since:
                yield event("reset", {})
            number = hub.number
        told_s = 0.0
        while time.monotonic() < until_s:
            if live.hub is not hub:
                return
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
                # With an id, so that who sees little of what happens does not fall behind what is kept.
                yield b"id: %s-%d\n%s" % (hub.epoch.encode(), number, event("pipeline", _beat(live, pipeline)))
            if hub.number == number:
                await live.changed(max(0.01, told_s + PIPELINE_EVERY_S - time.monotonic()))


def _beat(live: Live, pipeline: Pipeline) -> Beat:
    """A stream that hears nothing must not look like a fleet where nothing happens."""
    beat = pipeline.beat()
    troubles = [trouble for trouble in (beat.trouble, live.not_ready()) if trouble]
    return msgspec.structs.replace(beat, trouble="; ".join(troubles))


def _number(since: str, epoch: str) -> int | None:
    """Of `EPOCH-NUMBER`, if it is of this epoch."""
    name, _, number = since.partition("-")
    return int(number) if name == epoch and number.isdecimal() and len(number) < 16 else None
