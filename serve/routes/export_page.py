"""The page where rows are taken away: how much it would be, the file, and how far what is under way is."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from fastapi import APIRouter, Request

from schemas.errors import SettingError
from serve import fleet
from serve.asked import FILTERS, Asked, asked_of
from serve.context import Context
from serve.contract import API
from serve.export import Export, Format, What, robots_of
from serve.exports import A_PERSON, State
from serve.pages import Page, page
from serve.routes.export import Viewer, export_of
from serve.routes.fleet_page import choices_of
from serve.span import RANGES, USUAL

router = APIRouter()
TABLES = {
    What.FRAMES: "frames",
    What.VITALS: "vitals",
    What.HOURLY: "hours",
    What.HEALTH: "health",
    What.ANOMALIES: "anomalies",
}
FORMATS = {Format.CSV: "CSV", Format.PARQUET: "Parquet"}
STATES = {
    State.RUNNING: "under way",
    State.DONE: "done",
    State.CANCELLED: "ended by you: the file is not whole",
    State.TOO_SLOW: "ended: it was hardly read; the file is not whole",
    State.TOO_LONG: "ended: it took too long; the file is not whole. robovitals export has no limit",
    State.LEFT: "ended by its reader: the file is not whole",
    State.REVOKED: "ended: its session is over; the file is not whole",
    State.FAILED: "ended: the database went away; the file is not whole",
}


@page(router, "/export")
async def export_page(request: Request, person: Viewer) -> Page:
    """What the address asks for; its rows are counted once the page is there."""
    asked = asked_of("/export", request.query_params.multi_items())
    wanted = _wanted(asked, datetime.now(UTC))
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        robots = len(await robots_of(connection, wanted.wanted))
        facets = await fleet.facets(connection, None)
    kept = [part for part in asked.parts if part[0] in FILTERS]
    query = urlencode([*kept, ("from", _iso(wanted.start)), ("to", _iso(wanted.end))])
    return Page(
        "export.html",
        {
            "asked": asked,
            "wanted": wanted,
            "robots": robots,
            "choices": choices_of(asked, facets),
            "tables": TABLES,
            "formats": FORMATS,
            "ranges": {name: f"the last {name}" for name in RANGES},
            "range": asked.choice("range", RANGES, USUAL),
            "file": f"{API}/export/{wanted.what}.{wanted.format}?{query}",
            "size": f"{API}/export/{wanted.what}/size?{query}",
            "states": STATES,
            "at_once": A_PERSON,
        },
    )


def _wanted(asked: Asked, now: datetime) -> Export:
    """Raises SettingError for a table, form or time that is none."""
    table = What(asked.choice("table", [one.value for one in What], What.VITALS.value))
    form = Format(asked.choice("form", [one.value for one in Format], Format.CSV.value))
    end = _time("to", asked.one("to")) or now
    start = _time("from", asked.one("from")) or end - RANGES[asked.choice("range", RANGES, USUAL)]
    return export_of(table, form, asked.wanted, start, end, now)


def _time(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(f"{name} {text[:40]!r}: give a time as 2026-11-24T08:00, in UTC") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
