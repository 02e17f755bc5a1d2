"""What operators have on their list."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Request

from schemas.robot_code import checked_code
from serve import database
from serve.context import Context
from serve.contract import API, route
from serve.database import Alarm, HistoryLine
from serve.identity import needs
from serve.people import Person, Role

router = APIRouter(prefix=API, tags=["alarms"])
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
MEMBERS_SHOWN = 500
TRANSITIONS_SHOWN = 500


class AlarmPage(msgspec.Struct, frozen=True, kw_only=True):
    """One episode, the episodes that it speaks for, and what happened to it, newest first."""

    alarm: Alarm
    members: list[Alarm]
    history: list[HistoryLine]


@route(router, "GET", "/alarms", Role.VIEWER, list[Alarm])
async def alarms(
    request: Request,
    person: Viewer,
    robot: str | None = None,
    muted: bool = True,
    count: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[Alarm]:
    """Episodes whose state is not normal, worst first; those that call nobody are last."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await database.alarms(connection, checked_code(robot) if robot else None, muted, count)


@route(router, "GET", "/alarms/{episode_id}", Role.VIEWER, AlarmPage)
async def alarm(request: Request, person: Viewer, episode_id: str) -> AlarmPage:
    """One episode with its members and its history."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        found = await database.alarms_by_id(connection, [episode_id])
        if not found:
            raise HTTPException(404, f"no episode {episode_id[:64]}, or it is in none of your fleets")
        return AlarmPage(
            alarm=found[0],
            members=await database.members(connection, episode_id, MEMBERS_SHOWN),
            history=await database.transitions(connection, episode_id, TRANSITIONS_SHOWN),
        )
