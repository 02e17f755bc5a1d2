"""Parts, maintenance and uses of a robot, and what is due in the fleet.

In: requests of the API. Out: what `serve/care.py` reads, as JSON. Included by `serve/app.py`.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request

from schemas.robot_code import checked_code
from schemas.usage import Usage
from serve import care
from serve.care import FleetMaintenance, RobotParts, TaskLine
from serve.context import Context
from serve.contract import API, route
from serve.identity import needs
from serve.people import Person, Role

router = APIRouter(prefix=API, tags=["maintenance"])
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
Pressing = Literal["overdue", "due"]
SHOWN = 200


@route(router, "GET", "/robots/{code}/parts", Role.VIEWER, RobotParts)
async def robot_parts(request: Request, person: Viewer, code: str) -> RobotParts:
    """Serials by component, as the robot tells and as its logbook says."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await care.parts(connection, checked_code(code))


@route(router, "GET", "/robots/{code}/maintenance", Role.VIEWER, list[TaskLine])
async def robot_maintenance(request: Request, person: Viewer, code: str) -> list[TaskLine]:
    """What is to be done of a robot, worst first."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await care.maintenance(connection, checked_code(code))


@route(router, "GET", "/robots/{code}/usage", Role.VIEWER, Usage)
async def robot_usage(request: Request, person: Viewer, code: str) -> Usage:
    """What a robot was used for: intervals of one scenario, with operating time and load."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await care.used(connection, checked_code(code))


@route(router, "GET", "/maintenance", Role.VIEWER, FleetMaintenance)
async def fleet_maintenance(
    request: Request,
    person: Viewer,
    state: Pressing = "overdue",
    task: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = SHOWN,
) -> FleetMaintenance:
    """What is due in the fleet, the furthest beyond first."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await care.fleet_maintenance(connection, state, limit, task)
