"""A robot's logbook as the file that everybody can check; names are in it for operators only.

In: a request. Out: the file of `schemas/logbook_file.py`, by `serve/logbook_export.py`. Included by `serve/app.py`.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from schemas.robot_code import checked_code
from serve.context import Context
from serve.contract import API, ROLE
from serve.identity import needs
from serve.logbook_export import read_logbook
from serve.people import Person, Role

router = APIRouter(prefix=API, tags=["logbook"])


@router.get(
    "/robots/{code}/logbook.jsonl",
    dependencies=[Depends(needs(Role.VIEWER))],
    openapi_extra={ROLE: Role.VIEWER.value},
    response_class=Response,
    responses={200: {"content": {"application/jsonl": {}}, "description": "docs/logbook.md describes it"}},
    summary="A robot's logbook as a file for robovitals verify-log",
)
async def logbook_file(
    request: Request, person: Annotated[Person, Depends(needs(Role.VIEWER))], code: str
) -> Response:
    """With the proof that leads to the newest checkpoint; what stands behind commitments is for operators."""
    robot_id = checked_code(code)
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        stored = await read_logbook(connection, robot_id)
    if not stored.rows:
        raise HTTPException(404, f"robot {robot_id} has no logbook, or is in none of your fleets")
    data = await asyncio.to_thread(stored.file)
    headers = {"Content-Disposition": f'attachment; filename="{robot_id}.logbook.jsonl"'}
    return Response(data, media_type="application/jsonl", headers=headers)
