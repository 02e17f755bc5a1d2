"""What is generated from the types: JSON Schema and AsyncAPI files, the references of signals and metrics.

`python -m deploy.reference` writes them; a test fails when what is checked in differs. Nobody edits them by hand.
"""

from pathlib import Path
from typing import Any

import msgspec

from deploy.asyncapi import asyncapi
from deploy.grafana import DASHBOARDS
from deploy.grafana.panels import dashboard_json
from deploy.json_schema import SCHEMAS, json_schema
from deploy.metrics_reference import metrics_reference
from schemas.signals import SIGNALS, Limit, Signal
from serve.app import ROUTERS
from serve.contract import openapi

ROOT = Path(__file__).parent.parent


def documents() -> dict[Path, str]:
    """Every generated file, by its path under the project, and its text."""
    files = {Path(f"schemas/json/{name}.v1.json"): _json(json_schema(name)) for name in SCHEMAS}
    files[Path("schemas/json/openapi.v1.json")] = _json(openapi(ROUTERS))
    files |= {
        Path(f"deploy/grafana/dashboards/{d.uid.removeprefix('robovitals-')}.json"): _json(dashboard_json(d))
        for d in DASHBOARDS
    }
    return files | {
        Path("schemas/json/asyncapi.v1.json"): _json(asyncapi()),
        Path("docs/signals.md"): signals_reference(),
        Path("docs/metrics.md"): metrics_reference(),
    }


def _json(document: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def signals_reference() -> str:
    """The table of signals for people, as Markdown."""
    lines = [
        "# Signals",
        "",
        "Generated from `schemas/signals.py` by `make reference`. Limits are our own defaults, not a standard's;",
        "a limits file overrides them per model. Outside its range a value is impossible: stored as null, noted in",
        "`impossible_reading`.",
        "",
        "| signal | component | unit | possible | warn / alarm | windows keep | note |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [_row(signal) for signal in SIGNALS]) + "\n"


def _row(signal: Signal) -> str:
    limits = [_limit(sign, limit) for sign, limit in (("≥", signal.above), ("≤", signal.below)) if limit]
    notes = [signal.text, "estimate" if signal.estimate else "", "monotone" if signal.monotone else ""]
    cells = [
        f"`{signal.name}`",
        signal.component.value,
        signal.unit,
        f"{signal.low:g} … {signal.high:g}",
        ", ".join(limits) or "–",
        ", ".join(signal.statistics),
        "; ".join(filter(None, notes)) or "–",
    ]
    return "| " + " | ".join(cells) + " |"


def _limit(sign: str, limit: Limit) -> str:
    return f"{sign} {limit.warn:g} / {limit.alarm:g}"


if __name__ == "__main__":
    for path, text in documents().items():
        (ROOT / path).write_text(text, encoding="utf-8")
        print(path)
