"""The whole fleet: counts, the grid, and the robots that need somebody most."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request

from schemas.errors import SettingError
from schemas.robot_code import CODE_LENGTH
from serve import fleet
from serve.context import Context
from serve.contract import API, route
from serve.filters import Filter
from serve.fleet import Facets, GroupBy, Overview, RobotsPage, Sort, Sparkline
from serve.hub import Hub
from serve.identity import needs
from serve.live import Live
from serve.people import Person, Role

router = APIRouter(prefix=API, tags=["fleet"])
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
Words = Annotated[list[str], Query(max_length=50)]

SPARKLINES_AT_ONCE = 200


def filter_of(
    model: Words = [],  # noqa: B006  FastAPI reads the default, nobody changes it
    maker: Words = [],  # noqa: B006
    site: Words = [],  # noqa: B006
    registry: Words = [],  # noqa: B006
    status: Words = [],  # noqa: B006
    component: str = "",
    scenario: str | None = None,
    software: str | None = None,
    text: str = "",
) -> Filter:
    """Which robots; of a parameter that is given several times any will do."""
    return Filter(
        models=tuple(model),
        makers=tuple(maker),
        sites=tuple(site),
        registry=tuple(registry),
        statuses=tuple(status),
        component=component,
        scenario=scenario or None,
        software=software or None,
        text=text.strip().upper().replace("-", ""),
    )


Wanted = Annotated[Filter, Depends(filter_of)]


class LiveGrid(msgspec.Struct, frozen=True, kw_only=True):
    """Every robot by columns: entry i of each is robot i's, in groups one after the other.

    `codes`: 29 characters a robot. `status`: a digit each, an index into `statuses`, worst first. `zone`: a letter
    each, `-` unknown. `unacknowledged`: a digit, 9 for nine and more. `age_s`: since its last frame that health
    knows of, -1 without. `index`: its number in the stream of `epoch`, whose `number` this grid is as new as.
    """

    epoch: str
    number: int
    as_of_us: int
    statuses: list[str]
    groups: list[fleet.Group]
    codes: str
    index: list[int]
    status: str
    zone: str
    unacknowledged: str
    age_s: list[int]


@route(router, "GET", "/overview", Role.VIEWER, Overview)
async def overview(request: Request, person: Viewer, wanted: Wanted) -> Overview:
    """Robots by status, worst first, and alarms by state."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await fleet.overview(connection, wanted)


@route(router, "GET", "/grid", Role.VIEWER, LiveGrid)
async def grid(request: Request, person: Viewer, wanted: Wanted, group_by: GroupBy = GroupBy.MODEL) -> LiveGrid:
    """Every robot in a few bytes, to be kept up to date by the stream."""
    context: Context = request.app.state.context
    live: Live = request.app.state.live
    hub, number = live.hub, live.hub.number
    async with context.reading(person) as connection:
        found = await fleet.grid(connection, wanted, group_by)
    return live_grid(found, hub, number)


def live_grid(found: fleet.Grid, hub: Hub, number: int) -> LiveGrid:
    """What landed, brought up to what the stream has told lately: the database may be a moment behind."""
    codes = [found.codes[at : at + CODE_LENGTH] for at in range(0, len(found.codes), CODE_LENGTH)]
    status, zone, unacknowledged = list(found.status), list(found.zone), list(found.unacknowledged)
    lately = hub.lately_changed()
    for i, code in enumerate(codes) if lately else ():
        if code in lately:
            status[i], zone[i], calling = hub.state_of(code)
            unacknowledged[i] = str(min(calling, 9))
    return LiveGrid(
        epoch=hub.epoch,
        number=number,
        as_of_us=found.as_of_us,
        statuses=found.statuses,
        groups=found.groups,
        codes=found.codes,
        index=[hub.index_of(code) for code in codes],
        status="".join(status),
        zone="".join(zone),
        unacknowledged="".join(unacknowledged),
        age_s=found.age_s,
    )


@route(router, "GET", "/robots", Role.VIEWER, RobotsPage)
async def robots(
    request: Request,
    person: Viewer,
    wanted: Wanted,
    sort: Sort = Sort.WORST,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> RobotsPage:
    """Robots, a page at a time; at first those that need somebody most."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await fleet.robots_page(connection, wanted, sort, cursor, limit)


@route(router, "GET", "/sparklines", Role.VIEWER, list[Sparkline])
async def sparklines(
    request: Request,
    person: Viewer,
    robot: Annotated[list[str], Query(min_length=1, max_length=SPARKLINES_AT_ONCE)],
    signal: str = "joint_temperature_c",
    hours: Annotated[int, Query(ge=1, le=168)] = 24,
) -> list[Sparkline]:
    """The worst value of a signal, hour by hour, of the robots of a page."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        try:
            return await fleet.sparklines(connection, robot, signal, datetime.now(UTC), hours)
        except KeyError:
            raise SettingError(f"no signal {signal[:60]!r}: docs/signals.md lists them") from None


@route(router, "GET", "/facets", Role.VIEWER, Facets)
async def facets(request: Request, person: Viewer) -> Facets:
    """What filters may ask for."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await fleet.facets(connection, None)
