"""Logging in by a link that works once, logging out, who one is, and the contract itself."""

import logging
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from serve.context import Context
from serve.contract import API, route
from serve.credentials import log_in, log_out
from serve.database import WORST_FIRST
from serve.identity import address_of, cookie_name, has_failed, may_try, needs, refuse_foreign_page
from serve.pages import Page, render
from serve.people import SESSION_AT_MOST, Person, Role, person_of

router = APIRouter()
_log = logging.getLogger(__name__)
PUBLIC = {"x-role": "public"}
"""Who may call these is everybody: they give away nothing."""


class Me(msgspec.Struct, frozen=True):
    """Who asks. `fleets` null: every robot. `statuses`: worst first, as the grid's digits count them."""

    name: str
    role: str
    fleets: tuple[str, ...] | None
    statuses: list[str]


@router.get("/login", openapi_extra=PUBLIC, include_in_schema=False)
async def login(request: Request, link: str = "") -> Response:
    """A session for whoever brings an unused link."""
    context: Context = request.app.state.context
    may_try(request)
    async with context.own() as connection:
        found = await log_in(connection, link) if link else None
        session = request.cookies.get(cookie_name(request))
        there = session is not None and await person_of(connection, "session", session) is not None
    if found is None and there:
        return RedirectResponse("/", 303)  # a link that was opened twice, by somebody who is logged in by it
    if found is None:
        if link:
            has_failed(request, link)
        shown = Page("login.html", {"used": bool(link)})
        return HTMLResponse(render(request, None, shown), 401 if link else 200)
    name, session = found
    _log.info("%s logged in from %s", name, address_of(request))
    response = RedirectResponse("/", 303)
    response.set_cookie(
        cookie_name(request), session, max_age=int(SESSION_AT_MOST.total_seconds()), httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response


@router.post("/logout", openapi_extra=PUBLIC, include_in_schema=False)
async def logout(request: Request) -> Response:
    """End the session, if there is one."""
    context: Context = request.app.state.context
    if session := request.cookies.get(cookie_name(request)):
        refuse_foreign_page(request)
        async with context.own() as connection:
            await log_out(connection, session)
    response = Response(status_code=204)
    response.delete_cookie(
        cookie_name(request), httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    return response


@route(router, "GET", f"{API}/me", Role.VIEWER, Me)
async def me(person: Annotated[Person, Depends(needs(Role.VIEWER))]) -> Me:
    """Who asks, and what they may do."""
    return Me(person.name, person.role.value, person.fleets, [status.value for status in WORST_FIRST])


@router.get(f"{API}/openapi.json", openapi_extra=PUBLIC, include_in_schema=False)
async def contract(request: Request) -> Response:
    """The contract."""
    return Response(request.app.state.openapi, media_type="application/json")
