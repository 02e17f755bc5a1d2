"""From a request to the person behind it.

In: what a proxy says whom we believe, else a request's `Authorization: Bearer` header, else its session cookie.
Out: a `Person`, or an `HTTPException` that says what is missing. Called by FastAPI before a route that
`serve/contract.py` declares.
"""

import math
import time
from collections.abc import Awaitable, Callable
from functools import cache

from fastapi import HTTPException, Request

from serve import trust
from serve.context import Context
from serve.people import Person, Role, as_person, digest_of, person_of
from serve.trust import BY_PROXY

_READING = ("GET", "HEAD")
_BEARER = {"WWW-Authenticate": "Bearer"}
_LOG_IN = "log in with a link of `robovitals access link`, or send a token of `robovitals access token`"


def needs(role: Role, every_robot: bool = False) -> Callable[[Request], Awaitable[Person]]:
    """A dependency: 401 for nobody, 403 for somebody who may not. Asked once a request, whoever asks: it is one
    function a rule. `every_robot`: it is about the whole fleet, so who sees a part of it may not.
    """
    return _needs(role, every_robot)


@cache
def _needs(role: Role, every_robot: bool) -> Callable[[Request], Awaitable[Person]]:
    async def dependency(request: Request) -> Person:
        person = await _identify(request)
        if not person.role.may(role):
            _context(request).metrics.refused.labels("role").inc()
            raise HTTPException(403, f"this needs the role {role}; {person.name} is {person.role}")
        if every_robot and person.fleets is not None:
            _context(request).metrics.refused.labels("role").inc()
            raise HTTPException(403, f"this is about every robot; {person.name} sees {', '.join(person.fleets)}")
        return person

    return dependency


def cookie_name(request: Request) -> str:
    """Browsers keep one jar for all ports of a host, so two servers on one machine need two names."""
    port = request.url.port
    name = f"robovitals_{port}" if port else "robovitals"
    return f"__Host-{name}" if request.url.scheme == "https" else name


def refuse_foreign_page(request: Request) -> None:
    """A browser sends our cookie whoever's page asks; what changes something must come from ours."""
    origin = request.headers.get("origin")
    if request.method in _READING or origin == f"{request.url.scheme}://{request.headers['host']}":
        return
    _context(request).metrics.refused.labels("origin").inc()
    raise HTTPException(
        403,
        f"a change must come from a page of {request.url.scheme}://{request.headers['host']}, not from elsewhere",
    )


def may_try(request: Request) -> None:
    """Raises 429 when this address has tried too many secrets that do not exist."""
    context = _context(request)
    wait_s = context.throttle.wait_s(address_of(request), time.monotonic())
    if wait_s > 0:
        context.metrics.refused.labels("throttled").inc()
        raise HTTPException(
            429, "too many wrong secrets from this address: try later", {"Retry-After": str(math.ceil(wait_s))}
        )


def has_failed(request: Request, secret: str) -> None:
    context = _context(request)
    context.throttle.failed(address_of(request), digest_of(secret), time.monotonic())
    context.metrics.refused.labels("unknown").inc()


def address_of(request: Request) -> str:
    return request.client.host if request.client is not None else ""


async def _identify(request: Request) -> Person:
    context = _context(request)
    if request.scope.get("state", {}).get(BY_PROXY):
        visitor = trust.visitor(context.trust, request.scope["headers"])
        if visitor is not None:
            return await _visitor(request, visitor)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        may_try(request)
        return await _holder(request, "token", token)
    session = request.cookies.get(cookie_name(request))
    if session is None:
        raise HTTPException(401, _LOG_IN, _BEARER)
    refuse_foreign_page(request)
    return await _holder(request, "session", session)


async def _visitor(request: Request, visitor: trust.Visitor) -> Person:
    refuse_foreign_page(request)
    if visitor.grant is None:
        _context(request).metrics.refused.labels("role").inc()
        raise HTTPException(403, f"no group of {visitor.name} has a role here: ROBOVITALS_SERVE_PROXY_GROUPS")
    async with _context(request).own() as connection:
        return await as_person(connection, visitor.name, visitor.grant.role, visitor.grant.fleets)


async def _holder(request: Request, kind: str, secret: str) -> Person:
    """Of a token or session. A session that has ended is taken out of the browser, which would send it again."""
    async with _context(request).own() as connection:
        person = await person_of(connection, kind, secret)
    if person is not None:
        return person
    if kind == "token":
        has_failed(request, secret)
        raise HTTPException(401, f"this token does not exist, or its time is over: {_LOG_IN}", _BEARER)
    forget = f"{cookie_name(request)}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    secure = "; Secure" if request.url.scheme == "https" else ""
    raise HTTPException(401, f"this session is over: {_LOG_IN}", {**_BEARER, "Set-Cookie": forget + secure})


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context
