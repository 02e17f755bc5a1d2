"""An incident as one page of HTML that needs nothing else: for a screen, a printer, and the bundle.

In: an `Incident`, its frames, and when it is made. Out: the page's bytes. Pure but for its template. Called by
`incident_bundle.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import jinja2

from schemas.robot_code import RobotCode, format_code
from serve.files import STATIC, TEMPLATES
from serve.incident_view import view
from serve.incidents import Incident
from serve.words import component_words


def report(shown: Incident, frames: Sequence[Mapping[str, Any]], made: datetime) -> bytes:
    values = {
        "incident": shown,
        "code": format_code(RobotCode(shown.robot_id)),
        "view": view(shown, frames),
        "made": made,
        "style": f"<style>{_style()}</style>",
    }
    return _template().render(values).encode()


def _style() -> str:
    return (STATIC / "incident_report.css").read_text(encoding="utf-8")


def _template() -> jinja2.Template:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": _moment, "component": component_words}
    return made.get_template("incident_report.html")


def _moment(time: datetime | None) -> str:
    return "–" if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"
