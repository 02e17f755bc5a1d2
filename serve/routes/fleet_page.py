"""The fleet page: counts by status, the grid of all robots, and the robots that need somebody most."""

from datetime import UTC, datetime
from typing import Annotated

import asyncpg
import msgspec
from fastapi import APIRouter, Depends, Request

from schemas.signals import SIGNAL, Signal
from serve import fleet
from serve.asked import COMPONENTS, REGISTRY, Asked, asked_of, options
from serve.context import Context
from serve.fleet import GroupBy, RobotLine, Sort
from serve.identity import needs
from serve.pages import Page, page
from serve.people import Person, Role
from serve.sparks import Spark, scale_of, spark_of

router = APIRouter()
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
ROBOTS_A_PAGE = 50
SORTS = {Sort.WORST: "worst first", Sort.STALE: "longest unheard", Sort.CODE: "code"}
HOURS = {"6": "6 hours", "24": "24 hours", "72": "3 days", "168": "7 days"}
SIGNALS = {
    "joint_temperature_c": "hottest joint",
    "joint_wear": "most worn joint",
    "battery_soh": "battery health",
    "battery_soc": "battery charge",
    "battery_cell_spread_mv": "cell spread",
    "pose_repeatability_mm": "repeatability",
}
"""What the small curves can show."""


class Line(msgspec.Struct, frozen=True):
    """A robot with its curve."""

    robot: RobotLine
    spark: Spark


@page(router, "/")
async def fleet_page(request: Request, person: Viewer) -> Page:
    """The robots that the address asks for."""
    asked = asked_of("/", request.query_params.multi_items())
    wanted, cursor = asked.wanted, asked.one("cursor") or None
    sort = Sort(asked.choice("sort", [sort.value for sort in SORTS], Sort.WORST.value))
    signal = SIGNAL[asked.choice("signal", SIGNALS, "joint_temperature_c")]
    hours = int(asked.choice("hours", HOURS, "24"))
    group = asked.choice("group_by", [group.value for group in GroupBy], GroupBy.MODEL.value)
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        counts = await fleet.overview(connection, msgspec.structs.replace(wanted, statuses=()))
        robots = await fleet.robots_page(connection, wanted, sort, cursor, ROBOTS_A_PAGE)
        lines, limit_y = await _lines(connection, robots.robots, signal, hours)
        facets = await fleet.facets(connection, None)
    return Page(
        "fleet.html",
        {
            "asked": asked,
            "take_away": Asked("/export", tuple(asked.filters)).but(),
            "counts": counts,
            "robots": robots,
            "lines": lines,
            "limit_y": limit_y,
            "signal": signal,
            "choices": choices_of(asked, facets),
            "sort": sort,
            "hours": str(hours),
            "group_by": group,
            "sorts": SORTS,
            "ranges": HOURS,
            "signals": SIGNALS,
            "group_bys": [group.value for group in GroupBy],
        },
    )


async def _lines(
    connection: asyncpg.Connection, robots: list[RobotLine], signal: Signal, hours: int
) -> tuple[list[Line], float | None]:
    """The robots with their curves on one scale, and where its warning limit is drawn."""
    codes = [robot.robot_id for robot in robots]
    curves = await fleet.sparklines(connection, codes, signal.name, datetime.now(UTC), hours) if codes else []
    warn = next((limit.warn for limit in (signal.above, signal.below) if limit is not None), None)
    scale = scale_of((curve.values for curve in curves), warn)
    lines = [Line(robot, spark_of(curve.values, scale)) for robot, curve in zip(robots, curves, strict=True)]
    return lines, None if warn is None or not scale.low <= warn <= scale.high else scale.y(warn)


def choices_of(asked: Asked, facets: fleet.Facets) -> dict[str, dict[str, int | None]]:
    """What each selection offers, with how many robots have it."""
    found = {
        "model": facets.models,
        "maker": facets.makers,
        "site": facets.sites,
        "software": facets.software,
        "scenario": facets.scenarios,
    }
    return {
        **{
            name: dict(options([(one.value, one.robots) for one in offered if one.value], asked.one(name)))
            for name, offered in found.items()
        },
        "registry": dict.fromkeys(REGISTRY),
        "component": dict.fromkeys(COMPONENTS),
    }
