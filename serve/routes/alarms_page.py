"""The alarms pages: what operators have on their list, and one alarm with what happened to it."""

from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, HTTPException, Request

from serve import database, fleet
from serve.alarm_list import AlarmFilter, Part, alarm_list, part_counts
from serve.asked import COMPONENTS, Asked, asked_of, options
from serve.context import Context
from serve.identity import needs
from serve.pages import Page, page
from serve.people import Person, Role
from serve.words import RULE_WORDS

router = APIRouter()
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
HEAPS_A_PAGE = 50
MEMBERS_SHOWN = 200
TRANSITIONS_SHOWN = 200
PARTS = {
    Part.OPEN: "Open",
    Part.UNACKNOWLEDGED: "Needs somebody",
    Part.ENDED: "Ended, not seen",
    Part.ACKNOWLEDGED: "Acknowledged",
    Part.SHELVED: "Shelved",
    Part.OUT_OF_SERVICE: "Out of service",
    Part.SPOKEN_FOR: "Spoken for",
}
MEANINGS = {
    Part.OPEN: "Everything that is not out of the way, what needs somebody first.",
    Part.UNACKNOWLEDGED: "It goes on, and nobody has said yet that they have seen it.",
    Part.ENDED: "It ended by itself before anybody acknowledged it.",
    Part.ACKNOWLEDGED: "It goes on, and somebody has it in hand.",
    Part.SHELVED: "Out of the way until a set time; then it is back.",
    Part.OUT_OF_SERVICE: "Its component calls nobody until it is put in service again.",
    Part.SPOKEN_FOR: "Another alarm speaks for these: a silent robot for its parts, the fleet for many robots.",
}


@page(router, "/alarms")
async def alarms_page(request: Request, person: Viewer) -> Page:
    """The part of the list that the address asks for."""
    asked = asked_of("/alarms", request.query_params.multi_items())
    part = Part(asked.choice("part", [part.value for part in Part], Part.OPEN.value))
    rule = asked.choice("rule", ["", *RULE_WORDS], "")
    grouped = asked.choice("group", ("cause", "none"), "cause") == "cause" and not asked.one("cause")
    wanted = AlarmFilter(robots=asked.wanted, rule=rule, cause=asked.one("cause"), parent=asked.one("parent"))
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        counts = await part_counts(connection, wanted)
        found = await alarm_list(connection, part, wanted, grouped, asked.one("cursor") or None, HEAPS_A_PAGE)
        taken_out = await _taken_out(connection, part, asked)
        sites = await fleet.sites(connection, None)
    site_choices = options([(site.value, site.robots) for site in sites], asked.one("site"))
    return Page(
        "alarms.html",
        {
            "asked": asked,
            "part": part,
            "parts_of_list": PARTS,
            "meanings": MEANINGS,
            "counts": counts,
            "found": found,
            "grouped": grouped,
            "rule": rule,
            "rules": {"": "any", **RULE_WORDS},
            "groups": {"cause": "by cause", "none": "one by one"},
            "choices": {"site": site_choices, "component": dict.fromkeys(COMPONENTS)},
            "taken_out": taken_out,
        },
    )


@page(router, "/alarms/{episode_id}")
async def alarm_page(request: Request, person: Viewer, episode_id: str) -> Page:
    """One alarm."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        found = await database.alarms_by_id(connection, [episode_id])
        if not found:
            raise HTTPException(404, f"There is no alarm {episode_id[:64]}, or it is in none of your fleets.")
        alarm = found[0]
        parents = await database.alarms_by_id(connection, [alarm.parent]) if alarm.parent else []
        members = await database.members(connection, episode_id, MEMBERS_SHOWN)
        history = await database.transitions(connection, episode_id, TRANSITIONS_SHOWN)
    return Page(
        "alarm.html",
        {"alarm": alarm, "parent": parents[0] if parents else None, "members": members, "history": history},
    )


async def _taken_out(connection: asyncpg.Connection, part: Part, asked: Asked) -> list[database.OutOfService]:
    """Components out of service, whether or not an alarm of them is on the list."""
    if part is not Part.OUT_OF_SERVICE:
        return []
    return await database.out_of_service(connection, wanted=asked.wanted)
