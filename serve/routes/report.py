"""A robot's history report: for those who may see the robot, and for whoever was given a link.

Who may act on robots is shown names of persons; a viewer, and whoever has a link, is not. A link's page has its own
policy, since its style stands inside of it, and nobody is logged in by it.
"""

import asyncio
import base64
import hashlib
import math
import time
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from schemas.canonical import canonical
from schemas.errors import UnavailableError
from schemas.robot_code import checked_code, format_code
from schemas.signing import Purpose, is_signed
from serve.context import Context
from serve.contract import API, ROLE
from serve.identity import address_of, needs
from serve.pages import Page, page, render
from serve.people import Person, Role
from serve.report import html
from serve.report.compose import compose
from serve.report.links import Token, is_open, read_token
from serve.report.making import MEDIA, VERIFY, Form, draw, facts_of, make
from serve.report.model import SignedReport
from serve.report.qr import seal_of
from serve.report.reading import audited
from serve.report.words import minute
from serve.throttle import Throttle

router = APIRouter()
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
PUBLIC = {ROLE: "public"}
SHARED = "/shared/{token}"
OVER = "this link has ended, or was ended by whoever gave it: ask them for another"
UNKNOWN = "this link opens nothing: it is not whole, or nobody here has given it"


@page(router, "/robots/{code}/report")
async def report_page(request: Request, person: Viewer, code: str) -> Page:
    """The report within the page, with its files to take away."""
    signed = await _report(request, person, code)
    return Page("report.html", {"paper": await asyncio.to_thread(compose, signed), "code": signed.report.robot_id})


@router.get(
    f"{API}/robots/{{code}}/report.{{kind}}",
    dependencies=[Depends(needs(Role.VIEWER))],
    openapi_extra={ROLE: Role.VIEWER.value},
    response_class=Response,
    summary="The history report of a robot as a file: html, pdf or json",
    tags=["robot"],
)
async def report_file(request: Request, person: Viewer, code: str, kind: Form) -> Response:
    """Signed, and complete in itself; `robovitals verify-report` checks it offline."""
    return await _file(await _report(request, person, code), kind)


@router.get(SHARED, openapi_extra=PUBLIC, include_in_schema=False)
async def shared(request: Request, token: str) -> Response:
    """For whoever has a link. Names of persons are left out."""
    return await _shared(request, token, Form.HTML)


@router.get(SHARED + "/report.{kind}", openapi_extra=PUBLIC, include_in_schema=False)
async def shared_file(request: Request, token: str, kind: Form) -> Response:
    return await _shared(request, token, kind)


@router.get(VERIFY, openapi_extra=PUBLIC, include_in_schema=False)
async def verify(request: Request) -> Response:
    """What the square code on a report leads to: whether the platform signed a report with this digest."""
    _slowly(request)
    context: Context = request.app.state.context
    found = seal_of(request.url.query)
    word = "none"
    if found is not None:
        seal, signature = found
        ours = seal.platform in context.signer.platforms
        word = (
            "ours" if ours and is_signed(seal.platform, Purpose.REPORT, canonical(seal), signature) else "foreign"
        )
    shown = {
        "word": word,
        "seal": found[0] if found else None,
        "code": format_code(checked_code(found[0].robot_id)) if found and word == "ours" else "",
        "made": minute(found[0].made_us) if found and word == "ours" else "",
    }
    text = render(request, None, Page("verify_report.html", shown))
    return HTMLResponse(text, headers={"X-Robots-Tag": "noindex"})


async def _shared(request: Request, text: str, form: Form) -> Response:
    _slowly(request)
    context: Context = request.app.state.context
    token = read_token(text, context.signer.platforms)
    if token is None:
        raise HTTPException(404, UNKNOWN)
    async with context.own() as connection:
        if not await is_open(connection, token):
            raise HTTPException(410, OVER)
    response = await _file(await _report(request, _holder(token), token.robot_id), form)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _holder(token: Token) -> Person:
    """Who has a link sees that robot, and no names."""
    return Person(name="a link", role=Role.VIEWER, fleets=(), prefixes=(token.robot_id,))


async def _report(request: Request, person: Person, code: str) -> SignedReport:
    """Raises HTTPException where there is no such robot for them."""
    context: Context = request.app.state.context
    async with context.own() as connection:
        looked = await audited(connection, checked_code(code))
    async with context.reading(person) as connection:
        facts = await facts_of(connection, checked_code(code), context.signer, context.limits, looked)
    if facts is None:
        raise HTTPException(404, f"no robot {code[:40]}")
    base_url = f"{request.url.scheme}://{request.headers['host']}"
    return await asyncio.to_thread(make, facts, context.signer, person.role.may(Role.OPERATOR), base_url)


async def _file(signed: SignedReport, form: Form) -> Response:
    try:
        data = await asyncio.to_thread(draw, signed, form)
    except UnavailableError as error:
        raise HTTPException(501, str(error)) from None
    where = "inline" if form is Form.HTML else "attachment"
    name = f"{signed.report.robot_id}-{datetime.now(UTC):%Y%m%d}.{form}"
    headers = {"Content-Disposition": f'{where}; filename="{name}"', "Content-Security-Policy": _policy()}
    return Response(data, media_type=MEDIA[form], headers=headers)


def _policy() -> str:
    """Nothing but the style that stands in the file."""
    hashed = base64.b64encode(hashlib.sha256(html.style().encode()).digest()).decode()
    style = f"style-src 'sha256-{hashed}'"
    return f"default-src 'none'; {style}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def _slowly(request: Request) -> None:
    """Nobody is known here, so each address has a few at once, and then one every few seconds. Raises 429."""
    limit: Throttle = request.app.state.shared_limit
    address, now_s = address_of(request), time.monotonic()
    wait_s = limit.wait_s(address, now_s)
    if wait_s > 0:
        raise HTTPException(429, "too many from this address: try later", {"Retry-After": str(math.ceil(wait_s))})
    limit.failed(address, str(now_s).encode(), now_s)
