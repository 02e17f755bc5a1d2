"""What is generated from the types and the signal table: JSON Schema files and the signals' reference.

`python -m deploy.reference` writes them; a test fails when what is checked in differs. Nobody edits them by hand.
"""

from pathlib import Path
from typing import Any

import msgspec

from schemas.action import Action
from schemas.anomaly import Anomaly
from schemas.frame import JsonFrame
from schemas.health import Health
from schemas.signals import SIGNALS, Component, Limit, Signal

ROOT = Path(__file__).parent.parent
SCHEMAS = {
    "frame": (JsonFrame, "A frame in JSON, for topic telemetry.frames; the record's key is the robot code"),
    "health": (Health, "Health of one robot, topic fleet.health"),
    "anomaly": (Anomaly, "One transition of one episode, topic fleet.anomalies"),
    "action": (
        Action,
        "What an operator does about episodes, topic fleet.actions; the record's key is the robot code",
    ),
}


def documents() -> dict[Path, str]:
    """Every generated file, by its path under the project, and its text."""
    files = {Path(f"schemas/json/{name}.v1.json"): _json(json_schema(name)) for name in SCHEMAS}
    return files | {Path("docs/signals.md"): signals_reference()}


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one message."""
    kind, title = SCHEMAS[name]
    schema = msgspec.json.schema(kind)
    if name == "frame":
        schema["$defs"]["JsonFrame"]["properties"]["readings"] = _readings()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}


def _readings() -> dict[str, Any]:
    number = {"type": ["number", "null"]}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            signal.name: {
                "description": f"{signal.unit}; {signal.text}".strip("; "),
                **(
                    {"type": "array", "items": number, "maxItems": 128}
                    if signal.component is Component.JOINT
                    else number
                ),
            }
            for signal in SIGNALS
        },
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
