"""What does not fit about a robot.

In: requests of the API. Out: what `serve/findings.py` reads, as JSON. Included by `serve/app.py`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from schemas.robot_code import checked_code
from serve import findings
from serve.context import Context
from serve.contract import API, route
from serve.findings import FindingLine
from serve.identity import needs
from serve.people import Person, Role

router = APIRouter(prefix=API, tags=["findings"])
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]


@route(router, "GET", "/robots/{code}/findings", Role.VIEWER, list[FindingLine])
async def robot_findings(request: Request, person: Viewer, code: str) -> list[FindingLine]:
    """Where its telemetry, parts and logbook contradict each other, with what speaks for and against it."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await findings.of_robot(connection, checked_code(code))
