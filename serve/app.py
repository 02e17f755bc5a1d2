"""The application: routes, what every answer carries, and what an error looks like.

In: a `Context`. Out: an ASGI application. Called by `serve/server.py`, the tests, and `make reference` for the
OpenAPI document.
"""

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as AnyHTTPException

from schemas.errors import SettingError, UnavailableError
from serve import contract, pages
from serve.around import HEADERS, Around
from serve.context import Context
from serve.contract import Problem
from serve.exports import Exports
from serve.files import STATIC
from serve.guard import Guard
from serve.live import Live
from serve.pipeline import Pipeline
from serve.publish import Publisher
from serve.routes import (
    actions,
    alarms,
    alarms_page,
    care,
    care_page,
    deliveries,
    export,
    export_page,
    findings,
    fleet,
    fleet_page,
    incidents,
    logbook,
    logbook_export,
    logbook_page,
    login,
    pipeline,
    pipeline_page,
    report,
    robot_page,
    robots,
    stream,
)
from serve.throttle import Throttle
from serve.visits import Visits

ROUTERS = (
    login.router,
    fleet.router,
    robots.router,
    logbook.router,
    alarms.router,
    actions.router,
    pipeline.router,
    stream.router,
    fleet_page.router,
    alarms_page.router,
    robot_page.router,
    logbook_page.router,
    pipeline_page.router,
    deliveries.router,
    export.router,
    export_page.router,
    incidents.router,
    incidents.pages_router,
    report.router,
    logbook_export.router,
    care.router,
    care_page.router,
    findings.router,
)


def create_app(context: Context, live: Live, state: Pipeline, publisher: Publisher, visits: Visits) -> FastAPI:
    """It has no documentation pages (they load scripts from elsewhere); /api/v1/openapi.json is the contract."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.context = context
    app.state.live = live
    app.state.pipeline = state
    app.state.publisher = publisher
    app.state.visits = visits
    app.state.exports = Exports(visits)
    app.state.shared_limit = Throttle()
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.state.openapi = msgspec.json.encode(contract.openapi(ROUTERS))
    app.add_middleware(Guard, rules=context.trust, metrics=context.metrics)
    app.add_middleware(Around, metrics=context.metrics)
    app.add_exception_handler(AnyHTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _wrong_parameter)
    app.add_exception_handler(SettingError, _wrong_input)
    app.add_exception_handler(UnavailableError, _unavailable)
    app.add_exception_handler(Exception, _broken)
    return app


def _problem(
    request: Request, status: int, title: str, detail: str, headers: dict[str, str] | None = None
) -> Response:
    if pages.wants_page(request):
        if status == 401:
            return RedirectResponse(pages.LOGIN, 303)
        return HTMLResponse(pages.problem_page(request, status, title, detail), status, headers)
    content = msgspec.json.encode(Problem(title, status, detail))
    return Response(content, status, headers, media_type="application/problem+json")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AnyHTTPException)
    headers = dict(error.headers) if error.headers else None
    return _problem(request, error.status_code, "request refused", str(error.detail), headers)


async def _wrong_parameter(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return _problem(request, 422, "wrong parameter", f"{first['loc'][-1]}: {first['msg']}")


async def _wrong_input(request: Request, error: Exception) -> Response:
    return _problem(request, 422, "wrong input", str(error))


async def _unavailable(request: Request, error: Exception) -> Response:
    return _problem(request, 503, "a server is away", str(error), {"Retry-After": "2"})


async def _broken(request: Request, _: Exception) -> Response:
    """An error of ours: the log has it. It is answered outside of everything else, so its headers are set here."""
    return _problem(request, 500, "broken", "an error of the server's own: its log says more", HEADERS)
