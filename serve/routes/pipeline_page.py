"""The pages of whoever runs the pipeline: how it does with what it could not use, and who was told of alarms."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from serve import deliveries, pipeline_view
from serve.context import Context
from serve.identity import needs
from serve.pages import Page, page
from serve.people import Person, Role
from serve.rejects import RejectsPage, rejects_page
from serve.routes.deliveries import MAX_ID
from serve.routes.pipeline import pipeline_of

router = APIRouter()
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
REJECTS_A_PAGE = 25
DELIVERIES_A_PAGE = 100


@page(router, "/pipeline")
async def pipeline_page(
    request: Request, person: Viewer, reason: str | None = None, cursor: str | None = None
) -> Page:
    """Rate, lag, processes; and the rejects themselves for those who may send them again."""
    context: Context = request.app.state.context
    found = await pipeline_of(request, person)
    rejects: RejectsPage | None = None
    if person.role.may(Role.ADMIN):
        async with context.own() as connection:
            rejects = await rejects_page(connection, reason, cursor, REJECTS_A_PAGE)
    return Page(
        "pipeline.html",
        {
            "report": found.report,
            "processes": pipeline_view.lines(found.report.processes),
            "counts": found.rejects,
            "late": found.late,
            "security": found.security,
            "partial": not person.sees_all,
            "rejects": rejects,
            "reason": reason,
            "later": cursor is not None,
        },
    )


@page(router, "/alerts")
async def alerts_page(
    request: Request,
    person: Viewer,
    receiver: str = "",
    failed: bool = False,
    dropped: bool = False,
    before: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
) -> Page:
    """Receivers and the newest deliveries to them."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        known = await deliveries.receivers(connection)
        found = await deliveries.deliveries(
            connection, receiver or None, None, failed, dropped, DELIVERIES_A_PAGE, before
        )
    return Page(
        "alerts.html",
        {
            "receivers": known,
            "deliveries": found,
            "receiver": receiver,
            "failed": failed,
            "dropped": dropped,
            "may_ask_receivers": person.role.may(Role.OPERATOR) and person.sees_all,
            "before": before,
            "at_most": DELIVERIES_A_PAGE,
        },
    )
