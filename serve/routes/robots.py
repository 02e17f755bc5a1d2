"""One robot: how it is now, what happened to it, and its signals over time."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from schemas.errors import SettingError
from schemas.robot_code import checked_code
from schemas.signals import SIGNAL, Component, Statistic
from serve import database, past
from serve.context import Context
from serve.contract import API, route
from serve.database import HistoryLine
from serve.identity import needs
from serve.past import PastEpisode
from serve.people import Person, Role
from serve.robot import RobotNow, robot_now
from serve.series import POINTS_AT_MOST, Series, series
from serve.span import span_of

router = APIRouter(prefix=API, tags=["robot"])
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
SIGNALS_AT_ONCE = 8
From = Annotated[datetime | None, Query(alias="from")]
To = Annotated[datetime | None, Query(alias="to")]


@route(router, "GET", "/robots/{code}", Role.VIEWER, RobotNow)
async def robot(request: Request, person: Viewer, code: str) -> RobotNow:
    """One robot as it is now."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await robot_now(connection, checked_code(code))


@route(router, "GET", "/robots/{code}/history", Role.VIEWER, list[HistoryLine])
async def history(
    request: Request,
    person: Viewer,
    code: str,
    component: str = "",
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[HistoryLine]:
    """What happened to its episodes, newest first."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await database.history(connection, checked_code(code), component, count)


@route(router, "GET", "/robots/{code}/series", Role.VIEWER, list[Series])
async def robot_series(
    request: Request,
    person: Viewer,
    code: str,
    signal: Annotated[list[str], Query(min_length=1, max_length=SIGNALS_AT_ONCE)],
    joint: Annotated[list[int] | None, Query()] = None,
    statistic: Statistic | None = None,
    start: From = None,
    end: To = None,
    points: Annotated[int, Query(ge=1, le=POINTS_AT_MOST)] = 600,
) -> list[Series]:
    """Signals over time, one series a signal; `joint` counts for those of joints, all of them without one."""
    if unknown := [name for name in signal if name not in SIGNAL]:
        raise SettingError(f"no signal {unknown[0]!r}; docs/signals.md lists them")
    span = span_of(None, start, end, datetime.now(UTC))
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return [
            await series(
                connection,
                checked_code(code),
                name,
                joint or [] if SIGNAL[name].component is Component.JOINT else [],
                span.start,
                span.end,
                points,
                statistic,
                context.limits,
            )
            for name in signal
        ]


@route(router, "GET", "/robots/{code}/episodes", Role.VIEWER, list[PastEpisode])
async def episodes(
    request: Request, person: Viewer, code: str, start: From = None, end: To = None
) -> list[PastEpisode]:
    """Its episodes that held at some moment of a stretch of time, the oldest first."""
    span = span_of(None, start, end, datetime.now(UTC))
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await past.episodes_between(connection, checked_code(code), span.start, span.end)
