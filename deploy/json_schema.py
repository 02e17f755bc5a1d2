"""JSON Schema (2020-12) of the messages that others write or read as JSON.

In: a message's name. Out: its schema. Called by `deploy/reference.py`, which writes the files, and by
`deploy/asyncapi.py`.
"""

from typing import Any

import msgspec

from schemas.action import Action
from schemas.anomaly import Anomaly
from schemas.frame import JsonFrame
from schemas.health import Health
from schemas.signals import SIGNALS, Component
from serve.report.model import SignedReport

SCHEMAS = {
    "frame": (JsonFrame, "A frame in JSON, for topic telemetry.frames; the record's key is the robot code"),
    "health": (Health, "Health of one robot, topic fleet.health"),
    "anomaly": (Anomaly, "One transition of one episode, topic fleet.anomalies"),
    "action": (
        Action,
        "What an operator does about episodes, topic fleet.actions; the record's key is the robot code",
    ),
    "report": (SignedReport, "A robot's history report, as `robovitals report --format json` writes it"),
}


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one message."""
    kind, title = SCHEMAS[name]
    schema = msgspec.json.schema(kind)
    if name == "frame":
        name_readings(schema["$defs"]["JsonFrame"], "#/$defs/JsonFrame")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}


def name_readings(frame: dict[str, Any], place: str) -> None:
    """Write into a frame's schema, which stands at `place` of its document, which signals there are."""
    frame["properties"]["readings"] = readings()
    for side in ("lowest", "highest"):
        frame["properties"][side] = {
            "anyOf": [{"$ref": f"{place}/properties/readings"}, {"type": "null"}],
            "default": None,
        }


def readings() -> dict[str, Any]:
    """The schema of a frame's `readings`, from the table of signals."""
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
