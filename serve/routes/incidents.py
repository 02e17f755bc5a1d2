"""Incidents: the list, and one with its evidence and what was frozen.

In: requests of the API and of the pages. Out: what `serve/incidents.py` reads, as JSON or HTML. Included by
`serve/app.py`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from schemas.robot_code import checked_code
from serve.context import Context
from serve.contract import API, route
from serve.identity import needs
from serve.incident_view import view
from serve.incidents import Incident, IncidentLine, incident, incident_frames, incident_list
from serve.pages import Page, page
from serve.people import Person, Role

router = APIRouter(prefix=API, tags=["incidents"])
pages_router = APIRouter()
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
COUNT = 100


@route(router, "GET", "/incidents", Role.VIEWER, list[IncidentLine])
async def incidents(
    request: Request,
    person: Viewer,
    robot: str | None = None,
    count: Annotated[int, Query(ge=1, le=1000)] = COUNT,
) -> list[IncidentLine]:
    """Incidents of one robot or of all, newest first."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await incident_list(connection, checked_code(robot) if robot else None, count)


@route(router, "GET", "/incidents/{incident_id}", Role.VIEWER, Incident)
async def one_incident(request: Request, person: Viewer, incident_id: str) -> Incident:
    """One incident: its verdict, evidence for and against, and the records that it cites."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await incident(connection, incident_id)


@page(pages_router, "/incidents")
async def incidents_page(request: Request, person: Viewer, robot: str | None = None) -> Page:
    """The list."""
    found = await incidents(request=request, person=person, robot=robot, count=COUNT)
    return Page("incidents.html", {"incidents": found, "robot": robot, "at_most": COUNT})


@page(pages_router, "/incidents/{incident_id}")
async def incident_page(request: Request, person: Viewer, incident_id: str) -> Page:
    """One, with charts of its window."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        shown = await incident(connection, incident_id)
        frames = await incident_frames(connection, incident_id)
    return Page("incident.html", {"incident": shown, "view": view(shown, frames)})
