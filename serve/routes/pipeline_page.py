"""The pages of whoever runs the pipeline: how it does with what it could not use, and who was told of alarms."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from serve import deliveries, pipeline_view
from serve.context import Context
from serve.identity import needs
from serve.pages import Page, page
from serve.people import Person, Role
from serve.pipeline import Pipeline
from serve.rejects import RejectsPage, late_windows, reject_counts, rejects_page
from serve.routes.deliveries import MAX_ID
from serve.routes.pipeline import COUNTED_FOR, EVENTS_OF
from serve.security import security_events

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
    state: Pipeline = request.app.state.pipeline
    report = state.report()
    now = datetime.now(UTC)
    async with context.reading(person) as connection:
        security = await security_events(connection, (now - EVENTS_OF).date())
    async with context.own() as connection:
        counts = await reject_counts(connection, now - COUNTED_FOR)
        late = await late_windows(connection)
        rejects: RejectsPage | None = None
        if person.role.may(Role.ADMIN):
            rejects = await rejects_page(connection, reason, cursor, REJECTS_A_PAGE)
    return Page(
        "pipeline.html",
        {
            "report": report,
            "processes": pipeline_view.lines(report.processes),
            "counts": counts,
            "late": late,
            "security": security,
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
            "may_ask_receivers": person.role.may(Role.OPERATOR) and person.fleets is None,
            "before": before,
            "at_most": DELIVERIES_A_PAGE,
        },
    )
