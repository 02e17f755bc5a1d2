"""How a route is declared: its path, who may call it, what it answers; from that OpenAPI follows.

In: a function that takes parameters as FastAPI reads them, and returns a struct. Out: a route that answers with
the struct as JSON. Called by every file of `serve/routes`. Bodies are msgspec structs, as everywhere in this
project, so their schemas come from msgspec; FastAPI has the paths and parameters. A route without a role cannot be
declared.
"""

from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from schemas.errors import SettingError
from serve.identity import needs
from serve.people import Role

TITLE = "robovitals"
DESCRIPTION = (
    "What operators and programs read of a fleet of robots, and what they may do. Times are UTC, RFC 3339; "
    "integers whose name ends in `_us` are microseconds since 1970. An error is a problem document (RFC 9457)."
)
API = "/api/v1"
ROLE = "x-role"
EVERY_ROBOT = "x-every-robot"
"""Who calls must see the whole fleet."""
_REF = "#/components/schemas/{name}"
MAX_BODY_BYTES = 64 * 1024

Endpoint = Callable[..., Awaitable[Any]]
_bodies: dict[Any, tuple[Any, Any]] = {}
"""What each declared endpoint answers and takes."""


class Problem(msgspec.Struct, frozen=True):
    """What went wrong (RFC 9457)."""

    title: str
    status: int
    detail: str


def route(
    router: APIRouter,
    method: str,
    path: str,
    role: Role,
    answers: Any,
    takes: Any = None,
    every_robot: bool = False,
) -> Callable[[Endpoint], Endpoint]:
    """Declare a route of the API. `answers` and `takes`: types that msgspec can write and read."""

    def declare(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def answer(*args: Any, **kwargs: Any) -> Response:
            return Response(msgspec.json.encode(await endpoint(*args, **kwargs)), media_type="application/json")

        router.add_api_route(
            path,
            answer,
            methods=[method],
            name=endpoint.__name__,
            dependencies=[Depends(needs(role, every_robot))],
            summary=(endpoint.__doc__ or endpoint.__name__).splitlines()[0].rstrip("."),
            responses={200: {"content": {"application/json": {"schema": {}}}}},
            openapi_extra={ROLE: role.value, **({EVERY_ROBOT: True} if every_robot else {})},
            response_class=Response,
            response_model=None,
        )
        _bodies[answer] = (answers, takes)
        return endpoint

    return declare


def body(kind: type[Any]) -> Callable[[Request], Awaitable[Any]]:
    """A dependency: the request's body as a struct. `serve/guard.py` bounds it."""

    async def dependency(request: Request) -> Any:
        try:
            return msgspec.json.decode(await request.body(), type=kind)
        except msgspec.DecodeError as error:
            raise SettingError(f"the body cannot be used: {error}") from None

    return dependency


def openapi(routers: Iterable[APIRouter]) -> dict[str, Any]:
    """The contract: what FastAPI knows of the routes, and the schemas of their bodies from msgspec."""
    routes = [route for router in routers for route in router.routes]
    document = get_openapi(title=TITLE, version="1", description=DESCRIPTION, routes=routes)
    declared = [
        (document["paths"][route.path][method.lower()], *_bodies[route.endpoint])
        for route in routes
        if isinstance(route, APIRoute) and route.endpoint in _bodies
        for method in route.methods or ()
    ]
    kinds = [kind for _, *bodies in declared for kind in bodies if kind is not None]
    (problem, *schemas), components = msgspec.json.schema_components([Problem, *kinds], ref_template=_REF)
    remaining = iter(schemas)
    for operation, answers, takes in declared:
        if answers is not None:
            operation["responses"]["200"]["content"]["application/json"]["schema"] = next(remaining)
        if takes is not None:
            content = {"application/json": {"schema": next(remaining)}}
            operation["requestBody"] = {"required": True, "content": content}
        operation["responses"].pop("422", None)
        operation["responses"]["default"] = {
            "description": "what went wrong",
            "content": {"application/problem+json": {"schema": problem}},
        }
    document["components"] = {"schemas": components}
    return document
