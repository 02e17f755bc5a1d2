"""The page of one robot's logbook: who it is, what is in it, every entry, and whether all of it is sound.

In: a request. Out: HTML; the lines are `serve/logbook_view.py`'s. Included by `serve/app.py`.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request

from schemas.logbook_check import Verdict
from schemas.robot_code import checked_code, parse_code
from serve.context import Context
from serve.identity import needs
from serve.logbook import opened_of, records_of
from serve.logbook_view import lines_of
from serve.pages import Page, page
from serve.passport import installed_parts, integrity, passport, with_checkpoint
from serve.people import Person, Role

router = APIRouter()


@page(router, "/robots/{code}/logbook")
async def logbook_page(request: Request, person: Annotated[Person, Depends(needs(Role.VIEWER))], code: str) -> Page:
    """Also of a robot that has sent nothing yet."""
    robot_id = checked_code(code)
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        records = await records_of(connection, robot_id)
        if not records:
            raise HTTPException(404, f"robot {robot_id} has no logbook, or it is in none of your fleets")
        opened = await opened_of(connection, robot_id)
        shown = {
            "passport": await passport(connection, robot_id),
            "parts": await installed_parts(connection, robot_id),
            "verdict": await integrity(*await with_checkpoint(connection, robot_id), context.platforms),
        }
    lines = await asyncio.to_thread(lines_of, robot_id, records, opened, person.role.may(Role.OPERATOR))
    verdict = shown["verdict"]
    return Page(
        "logbook.html",
        {
            "robot_id": robot_id,
            "segments": parse_code(robot_id),
            "lines": lines[::-1],
            "word": word_of(verdict) if isinstance(verdict, Verdict) else "NOT PROVEN",
            **shown,
        },
    )


def word_of(verdict: Verdict) -> str:
    """As `robovitals verify-log` says it."""
    if not verdict.is_sound:
        return "FALSE"
    return "PROVEN" if verdict.is_proven else "NOT PROVEN"
