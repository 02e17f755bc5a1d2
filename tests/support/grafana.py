"""The dashboards as Grafana reads them, and their queries as it would send them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

DASHBOARDS = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"


class Asked(NamedTuple):
    """One query of one panel, or of a variable's list. `language`: sql or promql."""

    where: str
    language: str
    text: str


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))]


def every_query() -> list[Asked]:
    """All that any dashboard asks, as it stands in the file."""
    return [asked for dashboard in dashboards() for asked in _queries(dashboard)]


def _queries(dashboard: dict[str, Any]) -> Iterator[Asked]:
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield Asked(f"{dashboard['title']}, ${variable['name']}", "sql", variable["query"])
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            language = "promql" if "expr" in target else "sql"
            text = target["expr"] if language == "promql" else target["rawSql"]
            yield Asked(f"{dashboard['title']}, {panel['title']}, {target['refId']}", language, text)


def expanded(asked: Asked, since: str, until: str, variables: dict[str, list[str]], rate: str = "1m") -> str:
    """With Grafana's macros and variables replaced, as its PostgreSQL and Prometheus data sources do it."""
    text = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN '{since}' AND '{until}'", asked.text)
    text = text.replace("$__timeFrom()", f"'{since}'").replace("$__timeTo()", f"'{until}'")
    text = text.replace("$__interval_ms", "60000").replace("$__rate_interval", rate)
    for name, values in variables.items():
        quoted = ",".join("'" + value.replace("'", "''") + "'" for value in values)
        text = text.replace(f"${{{name}:sqlstring}}", quoted)
    assert "$" not in text, f"{asked.where}: {text} has a macro or variable that nobody fills"
    return text
