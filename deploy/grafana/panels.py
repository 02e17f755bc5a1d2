"""From a panel's title and queries to the JSON that Grafana reads.

In: `Dashboard`s of `Panel`s. Out: dashboards as Grafana has them (schema 39, Grafana 10 or later). Called by
`deploy/reference.py`. Only what is not Grafana's own default is set.
"""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

QUERIES = Path(__file__).parent / "queries"
WIDTH = 24
# No bucket is shorter than a window of a large fleet (60 s): between its windows there is no gap.
SHORTEST_STEP = "1m"


class Source(StrEnum):
    """The uid of a data source, as provisioning/datasources gives it."""

    DATABASE = "robovitals-timescaledb"
    PROMETHEUS = "robovitals-prometheus"


_TYPES = {Source.DATABASE: "grafana-postgresql-datasource", Source.PROMETHEUS: "prometheus"}


class Query(NamedTuple):
    """PromQL, or SQL. `legend` is for PromQL, `series` for SQL whose first columns are time and a series' name."""

    source: Source
    text: str
    legend: str = ""
    series: bool = False


class Panel(NamedTuple):
    """`kind` as Grafana names it. `lines`: limits that are drawn in, each a value and a colour."""

    title: str
    kind: str
    queries: tuple[Query, ...]
    unit: str = "none"
    text: str = ""
    width: int = 8
    height: int = 8
    lines: tuple[tuple[float, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    stacked: bool = False


class Variable(NamedTuple):
    """Chosen above the dashboard: from a query (several at once), or typed in where there is none."""

    name: str
    label: str
    query: str = ""


class Dashboard(NamedTuple):
    uid: str
    title: str
    text: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...] = ()
    since: str = "now-6h"


def sql(name: str, *, series: bool = False, **replaced: str) -> Query:
    """The query of a file; `replaced` are the words in braces that differ between its uses."""
    text = (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
    for word, by in replaced.items():
        text = text.replace("{" + word + "}", by)
    return Query(Source.DATABASE, text, series=series)


def promql(text: str, legend: str = "") -> Query:
    return Query(Source.PROMETHEUS, text, legend)


def dashboard_json(dashboard: Dashboard) -> dict[str, Any]:
    """One dashboard."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.text,
        "tags": ["robovitals"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": dashboard.since, "to": "now"},
        "timezone": "browser",
        "links": [
            {
                "type": "dashboards",
                "tags": ["robovitals"],
                "title": "robovitals",
                "asDropdown": True,
                "keepTime": True,
            }
        ],
        "templating": {"list": [_variable(variable) for variable in dashboard.variables]},
        "panels": list(_placed(dashboard.panels)),
    }


def _placed(panels: tuple[Panel, ...]) -> Iterator[dict[str, Any]]:
    """From left to right; a panel that has no room begins the next line below the highest of this one."""
    x = y = line = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > WIDTH:
            x, y, line = 0, y + line, 0
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        x, line = x + panel.width, max(line, panel.height)
        yield {"id": number, "gridPos": place, **_panel(panel)}


def _panel(panel: Panel) -> dict[str, Any]:
    step = {"interval": SHORTEST_STEP} if panel.queries[0].series else {}
    return {
        "type": panel.kind,
        "title": panel.title,
        **step,
        "description": panel.text,
        "datasource": _source(panel.queries[0].source),
        "targets": [_target(chr(ord("A") + at), query) for at, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _source(source: Source) -> dict[str, str]:
    return {"type": _TYPES[source], "uid": source.value}


def _target(reference: str, query: Query) -> dict[str, Any]:
    asked: dict[str, Any]
    if query.source is Source.PROMETHEUS:
        asked = {"expr": query.text, "legendFormat": query.legend or "__auto", "range": True}
    else:
        asked = {"rawSql": query.text, "rawQuery": True, "editorMode": "code"}
        asked["format"] = "time_series" if query.series else "table"
    return {"refId": reference, "datasource": _source(query.source), **asked}


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    steps += [{"color": color, "value": value} for value, color in panel.lines]
    defaults: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "spanNulls": False,
            "thresholdsStyle": {"mode": "line" if panel.lines else "off"},
            "stacking": {"mode": "normal" if panel.stacked else "none"},
            "drawStyle": "bars" if panel.stacked else "line",
        }
    if panel.links:
        defaults["links"] = [{"title": title, "url": url} for title, url in panel.links]
    return defaults


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"], "values": panel.queries[0].source is Source.DATABASE}}
    if panel.kind == "timeseries":
        return {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    return {}


def _variable(variable: Variable) -> dict[str, Any]:
    named = {"name": variable.name, "label": variable.label}
    if not variable.query:
        return {**named, "type": "textbox", "query": ""}
    return {
        **named,
        "type": "query",
        "datasource": _source(Source.DATABASE),
        "query": variable.query,
        "definition": variable.query,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }
