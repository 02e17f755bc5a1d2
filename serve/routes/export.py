"""What people take away: a table's rows as a file, streamed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from schemas.errors import SettingError
from serve.context import Context
from serve.contract import API, ROLE
from serve.export import Export, Format, What, export, file_of
from serve.filters import Filter
from serve.identity import needs
from serve.people import Person, Role
from serve.routes.fleet import filter_of

router = APIRouter(prefix=API, tags=["export"])

AT_ONCE = 3
"""Each holds a connection for as long as it is read; the page needs the others."""
_KINDS = {Format.CSV: "text/csv; charset=utf-8", Format.PARQUET: "application/vnd.apache.parquet"}


@router.get(
    "/export/{table}.{form}",
    dependencies=[Depends(needs(Role.VIEWER))],
    openapi_extra={ROLE: Role.VIEWER.value},
    response_class=StreamingResponse,
    summary="Rows of a table, by robots and a range of event time, as a file",
)
async def take_away(
    request: Request,
    person: Annotated[Person, Depends(needs(Role.VIEWER))],
    table: What,
    form: Format,
    wanted: Annotated[Filter, Depends(filter_of)],
    start: Annotated[datetime | None, Query(alias="from")] = None,
    end: Annotated[datetime | None, Query(alias="to")] = None,
) -> StreamingResponse:
    """Until now, and from a day before the end, where nothing is said. Times without a zone are UTC."""
    context: Context = request.app.state.context
    until = _utc(end) if end is not None else datetime.now(UTC)
    since = _utc(start) if start is not None else until - timedelta(days=1)
    if since >= until:
        raise SettingError(f"from {since.isoformat()} is not before to {until.isoformat()}")
    if context.exports >= AT_ONCE:
        raise HTTPException(503, f"{AT_ONCE} exports are under way: try again", {"Retry-After": "10"})
    _check_installed(form)
    asked = Export(what=table, wanted=wanted, start=since, end=until, format=form)
    return StreamingResponse(
        _pieces(context, person, asked),
        media_type=_KINDS[form],
        headers={"Content-Disposition": f'attachment; filename="{table}-{since:%Y%m%dT%H%M}Z.{form}"'},
    )


async def _pieces(context: Context, person: Person, asked: Export) -> AsyncIterator[bytes]:
    """As who asks. Whoever breaks off gets a file without its end, and our connection is free again."""
    with context.exporting():
        async with context.reading(person) as connection:
            async for piece in export(connection, asked):
                yield piece


def _check_installed(form: Format) -> None:
    try:
        file_of(form)
    except ModuleNotFoundError:
        raise HTTPException(501, "this server has no Parquet: pip install 'robovitals[parquet]'") from None


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
