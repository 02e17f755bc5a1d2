"""The page of what is due and overdue in the fleet.

In: a request. Out: HTML of what `serve/care.py` reads. Included by `serve/app.py`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from serve import care
from serve.context import Context
from serve.identity import needs
from serve.pages import Page, page
from serve.people import Person, Role
from serve.routes.care import SHOWN, Pressing

router = APIRouter()
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]


@page(router, "/maintenance")
async def maintenance_page(
    request: Request, person: Viewer, state: Pressing = "overdue", task: str | None = None
) -> Page:
    """How many robots, of which tasks, and which robots, the furthest beyond first."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        found = await care.fleet_maintenance(connection, state, SHOWN, task or None)
    return Page("maintenance.html", {"found": found, "state": state, "task": task, "at_most": SHOWN})
