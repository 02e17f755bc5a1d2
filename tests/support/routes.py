"""Every route of the server, and how to ask for it what belongs to the first robot of `two_fleets`."""

import time
from collections.abc import Iterable, Iterator

from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute

from schemas.entry import Submission, encode_submission
from schemas.logbook import MaintenanceDone
from serve.context import Context
from serve.contract import EVERY_ROBOT, ROLE
from serve.metrics import ServeMetrics
from support.logbooks import WORKSHOP, begun
from support.two_fleets import DELIVERY, OURS, app_of, episode_of, incident_of

PUBLIC = "public"
PUBLIC_MOUNTS = ["/static"]
"""Files that are the same for everybody."""
FILLED = {"code": OURS, "episode_id": episode_of(OURS), "table": "frames", "form": "csv",
          "delivery": DELIVERY[OURS], "name": "pager", "export_id": "none", "kind": "json", "token": "none",
          "incident_id": incident_of(OURS)}  # fmt: skip
"""What stands in a path: ours."""
QUERIES: dict[str, str] = {
    "/api/v1/sparklines": f"robot={OURS}",
    "/api/v1/robots/{code}/series": "signal=battery_soc",
}
"""By path what a route cannot be asked without."""


def routes_of(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Also those of routers that were included, which FastAPI keeps whole."""
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from [route] if router is None else routes_of(router.routes)


_routes = list(routes_of(app_of(Context("", ServeMetrics.create(CollectorRegistry()))).routes))
OTHERS = [route for route in _routes if not isinstance(route, APIRoute)]
"""What is no route of a function."""
ROUTES = [
    (method, route.path, (route.openapi_extra or {}).get(ROLE))
    for route in _routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
]
"""Method, path, and who may."""
OF_EVERY_ROBOT = [
    (method, route.path)
    for route in _routes
    if isinstance(route, APIRoute) and (route.openapi_extra or {}).get(EVERY_ROBOT)
    for method in sorted(route.methods or ())
]
"""Where only those may who see the whole fleet."""


def _signed() -> bytes:
    """An entry that the first robot's logbook would take."""
    writer = begun(OURS)
    writer.now_us = time.time_ns() // 1000
    return encode_submission(
        Submission(signed=writer.sign(MaintenanceDone(task="x", component="joint/1"), WORKSHOP))
    )


BODIES = {
    "/api/v1/robots/{code}/logbook": _signed(),
    "/api/v1/deliveries/replay": b'{"ids": [%d]}' % DELIVERY[OURS],
    "/api/v1/actions": b'{"kind": "acknowledge", "episodes": ["%s"]}' % episode_of(OURS).encode(),
}
"""By path a body that names what is ours."""


def target(path: str) -> str:
    query = QUERIES.get(path)
    return path.format(**FILLED) + (f"?{query}" if query else "")
