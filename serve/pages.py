"""How a page is declared and drawn: templates with autoescape, for whoever is logged in.

In: a function that asks the database and returns a `Page`. Out: a route that answers with HTML. Called by the files
of `serve/routes` that have pages, and by `serve/app.py` for errors. Whatever a robot sent is text here: nothing but
the filters below makes markup, and they escape what they are given.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import jinja2
import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from schemas.health import Status, Zone
from schemas.robot_code import is_code
from serve import words
from serve.contract import API, ROLE
from serve.database import WORST_FIRST
from serve.files import TEMPLATES
from serve.identity import needs
from serve.people import Person, Role

NAVIGATION = (
    ("/", "Fleet"),
    ("/alarms", "Alarms"),
    ("/incidents", "Incidents"),
    ("/maintenance", "Maintenance"),
    ("/pipeline", "Pipeline"),
    ("/alerts", "Alerts"),
    ("/export", "Export"),
)
LOGIN = "/login"
PLAIN = ("/static/", f"{API}/")
"""Where programs ask: an error is a problem document there, a page everywhere else."""


class Page(msgspec.Struct, frozen=True):
    """A template, and what it shows."""

    template: str
    values: dict[str, Any]


Endpoint = Callable[..., Awaitable[Page]]


def page(router: APIRouter, path: str, role: Role = Role.VIEWER) -> Callable[[Endpoint], Endpoint]:
    """Declare a page. The endpoint has a `request` and a `person` among its parameters."""

    def declare(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def answer(*args: Any, **kwargs: Any) -> HTMLResponse:
            shown = await endpoint(*args, **kwargs)
            return HTMLResponse(render(kwargs["request"], kwargs["person"], shown))

        router.add_api_route(
            path,
            answer,
            methods=["GET"],
            name=endpoint.__name__,
            dependencies=[Depends(needs(role))],
            include_in_schema=False,
            openapi_extra={ROLE: role.value},
            response_class=HTMLResponse,
            response_model=None,
        )
        return endpoint

    return declare


def wants_page(request: Request) -> bool:
    """Whether a browser asks for something to look at."""
    return not request.url.path.startswith(PLAIN) and "text/html" in request.headers.get("accept", "")


def problem_page(request: Request, status: int, title: str, detail: str) -> str:
    """What a person sees when something went wrong."""
    shown = Page("problem.html", {"status": status, "title": title, "detail": detail})
    return render(request, None, shown)


def render(request: Request, person: Person | None, shown: Page) -> str:
    """The page as text."""
    text = _ENVIRONMENT.get_template(shown.template).render(
        {
            "person": person,
            "may_act": person is not None and person.role.may(Role.OPERATOR),
            "path": request.url.path,
            "navigation": NAVIGATION,
            "statuses": WORST_FIRST,
            "status_words": words.STATUS_WORDS,
            "zone_words": words.ZONE_WORDS,
            "now": datetime.now(UTC),
            "now_us": time.time_ns() // 1000,
            **shown.values,
        }
    )
    return text.translate(words.UNSEEN)


def _code(code: str, linked: bool = True) -> Markup:
    """A robot's code by its segments; the end of the serial is what tells neighbours apart."""
    if not is_code(code):
        return Markup('<span class="code">{}</span>').format(code)
    shown = Markup('<span class="code"><i>{}-{}-</i>{}<i>-{}</i>{}</span>').format(
        code[:2], code[2:6], code[6:12], code[12:-6], code[-6:]
    )
    return Markup('<a href="/robots/{}">{}</a>').format(code, shown) if linked else shown


def _status(status: str | None) -> Markup:
    word = words.status_word(status)
    return Markup('<span class="status s-{}"><b aria-hidden="true">{}</b>{}</span>').format(
        status or Status.UNKNOWN, word.letter, word.name
    )


def _zone(zone: str | None) -> Markup:
    if not zone:
        return Markup('<span class="zone" title="the data cannot tell">–</span>')
    return Markup('<abbr class="zone z-{}" title="{}">{}</abbr>').format(zone, words.ZONE_WORDS[Zone(zone)], zone)


def _ago(moment: datetime | None, now: datetime) -> Markup:
    """How long ago; the page counts on."""
    if moment is None:
        return Markup('<span class="none">never</span>')
    return Markup('<time class="ago" datetime="{}" title="{}">{}</time>').format(
        _iso(moment), words.moment(moment), words.since(moment, now)
    )


def _when(moment: datetime | None) -> Markup:
    """A moment, in the time zone that the reader chose."""
    if moment is None:
        return Markup('<span class="none">–</span>')
    return Markup('<time class="when" datetime="{}">{}</time>').format(_iso(moment), words.moment(moment))


def _us(us: int) -> datetime:
    """What the structs of `schemas` call a moment."""
    return datetime.fromtimestamp(us / 1e6, UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _quantity(value: float | None, unit: str = "") -> Markup:
    """A reading with its unit."""
    if value is None:
        return Markup('<span class="none">–</span>')
    shown = "" if unit == "1" else unit
    return Markup('<span class="quantity">{}{}</span>').format(
        words.number(value), Markup("&nbsp;<i>{}</i>").format(shown) if shown else ""
    )


def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "ago": _ago,
        "age": words.age,
        "brief": words.brief,
        "code": _code,
        "component": words.component_words,
        "group_words": words.group_words,
        "grouped": words.grouped,
        "matter": words.matter,
        "number": words.number,
        "quantity": _quantity,
        "rule": lambda rule: words.RULE_WORDS.get(rule, rule),
        "signal": words.signal_words,
        "state": lambda state: words.STATE_WORDS.get(state, state),
        "status": _status,
        "when": _when,
        "us": _us,
        "zone": _zone,
    }
    made.globals |= {"count_of": words.count_of}
    return made


_ENVIRONMENT = _environment()
