"""What people take away: a table's rows as a file, streamed; how much that is, how far it is, and ending it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Send

from schemas.errors import SettingError, UnavailableError
from serve.context import Context
from serve.contract import API, ROLE, route
from serve.export import Export, Format, Size, What, export, file_of, robots_of, size_of
from serve.exports import PIECE_BYTES, TAKEN_WITHIN_S, ExportLine, Exports, State, Taking
from serve.filters import Filter
from serve.identity import needs
from serve.people import Person, Role
from serve.routes.fleet import filter_of

router = APIRouter(prefix=API, tags=["export"])
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
Wanted = Annotated[Filter, Depends(filter_of)]
From = Annotated[datetime | None, Query(alias="from")]
Until = Annotated[datetime | None, Query(alias="to")]

_KINDS = {Format.CSV: "text/csv; charset=utf-8", Format.PARQUET: "application/vnd.apache.parquet"}


class Download(StreamingResponse):
    """A file that ends as a file only when it is whole: else its connection is closed, and its reader knows."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], exports: Exports, taking: Taking) -> None:
        asked = taking.asked
        name = f"{asked.what}-{asked.start:%Y%m%dT%H%M}Z.{asked.format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Robovitals-Export": taking.id}
        super().__init__(pieces, media_type=_KINDS[asked.format], headers=headers)
        self._pieces = pieces
        self._exports = exports
        self._taking = taking

    async def stream_response(self, send: Send) -> None:
        taking = self._taking
        try:
            with self._exports.running(taking):
                await self._send(send)
            taking.state = State.DONE
        except TimeoutError:
            taking.state = taking.ran_out()
        except UnavailableError:
            taking.state = State.FAILED
        except asyncio.CancelledError:
            taking.state = State.LEFT
            raise
        finally:
            taking.ended = datetime.now(UTC)

    async def _send(self, send: Send) -> None:
        taking = self._taking
        # Its connection is free again whatever ends it: so it is closed, and outside of the time limit.
        async with aclosing(self._pieces) as pieces, taking.limited():
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for piece in pieces:
                for at in range(0, len(piece), PIECE_BYTES):
                    taking.send_within(TAKEN_WITHIN_S)
                    part = piece[at : at + PIECE_BYTES]
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                    taking.bytes += len(part)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def export_of(
    table: What, form: Format, wanted: Filter, start: datetime | None, end: datetime | None, now: datetime
) -> Export:
    """Until now, and from a day before the end, where nothing is said. Times without a zone are UTC.

    Raises SettingError.
    """
    until = _utc(end) if end is not None else now
    since = _utc(start) if start is not None else until - timedelta(days=1)
    if since >= until:
        raise SettingError(f"from {since.isoformat()} is not before to {until.isoformat()}")
    return Export(what=table, wanted=wanted, start=since, end=until, format=form)


@route(router, "GET", "/export/{table}/size", Role.VIEWER, Size)
async def size(
    request: Request, person: Viewer, table: What, wanted: Wanted, start: From = None, end: Until = None
) -> Size:
    """How many robots and rows an export would have."""
    context: Context = request.app.state.context
    asked = export_of(table, Format.CSV, wanted, start, end, datetime.now(UTC))
    async with context.reading(person) as connection:
        return await size_of(connection, asked)


@router.get(
    "/export/{table}.{form}",
    dependencies=[Depends(needs(Role.VIEWER))],
    openapi_extra={ROLE: Role.VIEWER.value},
    response_class=StreamingResponse,
    summary="Rows of a table, by robots and a range of event time, as a file",
)
async def take_away(
    request: Request,
    person: Viewer,
    table: What,
    form: Format,
    wanted: Wanted,
    start: From = None,
    end: Until = None,
) -> Download:
    """Its id is in the header X-Robovitals-Export; /exports tells how far it is."""
    context: Context = request.app.state.context
    exports: Exports = request.app.state.exports
    asked = export_of(table, form, wanted, start, end, datetime.now(UTC))
    if refusal := exports.refusal(person):
        raise HTTPException(503, refusal, {"Retry-After": "10"})
    _check_installed(form)
    reading = partial(context.reading, person)
    async with reading() as connection:
        robots = await robots_of(connection, wanted)
    taking = Taking(person, asked, len(robots), datetime.now(UTC))
    return Download(export(reading, asked, robots, taking.told), exports, taking)


@route(router, "GET", "/exports", Role.VIEWER, list[ExportLine])
async def exports(request: Request, person: Viewer) -> list[ExportLine]:
    """The asker's exports that are under way, and those that have ended in the last minutes; the newest first."""
    running: Exports = request.app.state.exports
    return running.of(person, datetime.now(UTC))


@route(router, "DELETE", "/exports/{export_id}", Role.VIEWER, ExportLine)
async def cancel(request: Request, person: Viewer, export_id: str) -> ExportLine:
    """End an export of the asker's: its connection is closed before its file is whole."""
    running: Exports = request.app.state.exports
    line = running.cancel(person, export_id)
    if line is None:
        raise HTTPException(404, f"no export {export_id[:20]!r} of {person.name}")
    return line


def _check_installed(form: Format) -> None:
    try:
        file_of(form)
    except ModuleNotFoundError:
        raise HTTPException(501, "this server has no Parquet: pip install 'robovitals[parquet]'") from None


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
