"""The page of one robot."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from schemas.robot_code import checked_code
from serve import care, care_view, findings, robot_view
from serve.context import Context
from serve.database import parents_of
from serve.identity import needs
from serve.pages import Page, page
from serve.people import Person, Role
from serve.robot import RobotNow, robot_now
from serve.span import RANGES, span_of
from serve.words import STATUS_WORDS

router = APIRouter()
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
USAGE_OVER = timedelta(days=365)


@page(router, "/robots/{code}")
async def robot_page(
    request: Request,
    person: Viewer,
    code: str,
    name: Annotated[str | None, Query(alias="range")] = None,
    joint: Annotated[list[int] | None, Query()] = None,
    start: Annotated[datetime | None, Query(alias="from")] = None,
    end: Annotated[datetime | None, Query(alias="to")] = None,
) -> Page:
    """All of it; charts are drawn by the page's script."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        now = await robot_now(connection, checked_code(code))
        parents = await parents_of(connection, now.alarms)
        parts_in = await care.parts(connection, now.state.robot_id)
        tasks = await care.maintenance(connection, now.state.robot_id)
        usage = await care.used(connection, now.state.robot_id, now.asked - USAGE_OVER)
        found = await findings.of_robot(connection, now.state.robot_id)
    span = span_of(name, start, end, datetime.now(UTC))
    components = now.state.components or []
    joints = robot_view.joints_of(components, now.readings)
    chosen = [number for number in joint or [] if number in joints]
    return Page(
        "robot.html",
        {
            **_values(now),
            "parents": parents,
            "parts_in": parts_in,
            "tasks": care_view.lines(tasks),
            "usage": usage,
            "findings": found,
            "span": span,
            "ranges": list(RANGES),
            "all_joints": joints,
            "chosen": chosen or robot_view.worst_joints(components, joints),
            "charts": robot_view.charts_of(now.readings),
            "words": {status: word.name for status, word in STATUS_WORDS.items()},
        },
    )


def _values(now: RobotNow) -> dict[str, object]:
    components = now.state.components or []
    joints = robot_view.joints_of(components, now.readings)
    return {
        "robot": now,
        "parts": robot_view.parts(components, now.state.last_seen),
        "drawing": robot_view.drawing(components, joints),
        "last": robot_view.last_values(now.readings),
        "own": robot_view.own_signs(now.readings),
    }
