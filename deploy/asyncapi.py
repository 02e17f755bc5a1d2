"""The AsyncAPI 3.0 document of the topics that others may use, from the topics and the message types.

In: nothing. Out: the document, `schemas/json/asyncapi.v1.json`. Called by `deploy/reference.py`. What it leaves out
(`telemetry.vitals`, changelogs) is ours alone and may change with any release.

"Receive" and "send" are said of robovitals: a robot sends what it receives.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from deploy.json_schema import name_readings
from schemas.action import Action
from schemas.anomaly import EVENT_TYPE, FLEET, SOURCE, Anomaly, Transition
from schemas.checkpoint import Published
from schemas.entry import Entry
from schemas.frame import Frame, JsonFrame
from schemas.health import Health
from schemas.logbook import Opened
from schemas.reject import Reject
from schemas.signing import Signature
from schemas.topics import ACTIONS, ANOMALIES, CHECKPOINTS, FRAMES, HEALTH, LOGBOOK, REJECTS, Topic

VERSION = "1.1.0"
"""Of the document. The second number counts what was added; the first, messages with a new `v`."""

JSON, MESSAGEPACK = "application/json", "application/msgpack"
_REF = "#/components/schemas/{name}"
_CODE = {"type": "string", "pattern": "^[A-Z]{2}[0-9A-Z]{27}$", "description": "a robot code"}
_CODE_OR_FLEET = {
    "type": "string",
    "pattern": f"^([A-Z]{{2}}[0-9A-Z]{{27}}|{FLEET})$",
    "description": f"a robot code, or {FLEET} where it is about many robots",
}


class LogbookEntry(msgspec.Struct):
    """An entry of a robot's logbook as its author sends it; `opened` is what stands behind its commitments."""

    entry: Entry
    signature: Signature
    opened: tuple[Opened, ...] = ()


class Message(NamedTuple):
    """One kind of message: its payload's type, its encoding, and what a reader has to know."""

    name: str
    payload: type
    content_type: str
    text: str


class Channel(NamedTuple):
    """A topic that others use, and how its key is made. `sends`: robovitals sends it; else it receives it."""

    name: str
    topic: Topic
    sends: bool
    key: dict[str, Any]
    messages: tuple[Message, ...]
    text: str


CHANNELS = (
    Channel(
        "frames", FRAMES, False, _CODE,
        (
            Message("jsonFrame", JsonFrame, JSON, "A frame as JSON: the first byte `{` tells the two apart."),
            Message(
                "packedFrame", Frame, MESSAGEPACK,
                "A frame as a MessagePack array. `layout` is the number of joints and the signals in order; "
                "`values` are all readings in that order as little-endian float32, NaN where absent.",
            ),
        ),
        "Frames as robots publish them. The key must be the frame's own robot code, partitioned by murmur2.",
    ),
    Channel(
        "rejects", REJECTS, True, _CODE | {"description": "the key of the record, whatever it was; may be missing"},
        (Message("reject", Reject, MESSAGEPACK, "A record that could not be used, as a MessagePack map."),),
        "What could not be used, and why. For whoever watches what a fleet sends wrong.",
    ),
    Channel(
        "health", HEALTH, True, _CODE,
        (Message("health", Health, JSON, "Status, zone and evidence per component."),),
        "The latest health of each robot: compacted, so reading from the beginning gives every robot's last one.",
    ),
    Channel(
        "anomalies", ANOMALIES, True, _CODE_OR_FLEET,
        (Message("anomaly", Anomaly, JSON, "One transition of one episode, a CloudEvent 1.0 in binary mode."),),
        "What is wrong with robots. At least once; source and id together are the key to drop repeats by; the "
        "transitions of an episode come in the order of their number.",
    ),
    Channel(
        "actions", ACTIONS, False, _CODE_OR_FLEET,
        (Message("action", Action, JSON, "One thing that an operator does. By its id it is applied once."),),
        "What operators do: acknowledge, shelve, comment, take out of service. Also `adopt` and `release`, by "
        "which robovitals itself tells episodes of a parent; only it writes these two.",
    ),
    Channel(
        "logbook", LOGBOOK, False, _CODE,
        (Message(
            "logbookEntry", LogbookEntry, JSON,
            "Canonical JSON (RFC 8785), at most 64 KiB. `signature` is Ed25519, by the entry's `author`, over "
            "`robovitals.entry.1`, a zero byte, and the canonical bytes of `entry`.",
        ),),
        "Entries of robots' logbooks (docs/logbook.md). By its id an entry is appended once. What a logbook does "
        "not take goes to telemetry.rejects with the fault as its reason. Names are kept no longer than records.",
    ),
    Channel(
        "checkpoints", CHECKPOINTS, True, {"type": "null", "description": "none"},
        (Message("checkpoint", Published, JSON, "One line of the file of checkpoints, canonical JSON."),),
        "What all logbooks held at one moment, signed (docs/logbook.md). Kept for ever, in the order of `size`; a "
        "record may come twice.",
    ),
)  # fmt: skip


def asyncapi() -> dict[str, Any]:
    """The document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "robovitals",
            "version": VERSION,
            "description": "Vital signs of a fleet of robots. What is promised about these messages, and ready "
            "consumers: docs/consumers.md.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": JSON,
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "variables": {"bootstrap": {"description": "ROBOVITALS_KAFKA_BOOTSTRAP"}},
            }
        },
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {_operation_name(channel): _operation(channel) for channel in CHANNELS},
        "components": {
            "schemas": _schemas(message.payload for channel in CHANNELS for message in channel.messages),
            "messages": {m.name: _message(channel, m) for channel in CHANNELS for m in channel.messages},
        },
    }


def _channel(channel: Channel) -> dict[str, Any]:
    topic = channel.topic
    configuration = topic.config()
    return {
        "address": topic.name,
        "description": channel.text,
        "messages": {m.name: {"$ref": f"#/components/messages/{m.name}"} for m in channel.messages},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": [configuration["cleanup.policy"]],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": topic.max_message_bytes,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation_name(channel: Channel) -> str:
    return f"{'send' if channel.sends else 'receive'}{channel.name.capitalize()}"


def _operation(channel: Channel) -> dict[str, Any]:
    return {
        "action": "send" if channel.sends else "receive",
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": channel.topic.text,
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{m.name}"} for m in channel.messages],
    }


def _message(channel: Channel, message: Message) -> dict[str, Any]:
    headers = {"headers": _cloudevents_headers()} if channel.topic is ANOMALIES else {}
    return {
        "name": message.name,
        "summary": message.text,
        "contentType": message.content_type,
        **headers,
        "payload": {"$ref": _REF.format(name=message.payload.__name__)},
        "bindings": {"kafka": {"key": channel.key, "bindingVersion": "0.5.0"}},
    }


def _cloudevents_headers() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "Kafka protocol binding of CloudEvents 1.0, binary mode",
        "required": ["ce_specversion", "ce_type", "ce_source", "ce_id", "ce_subject", "ce_time", "content-type"],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_type": {"type": "string", "enum": [f"{EVENT_TYPE}.{transition}" for transition in Transition]},
            "ce_source": {"const": SOURCE},
            "ce_id": text | {"description": "episode_id/number: unique within the source, the same for a repeat"},
            "ce_subject": _CODE_OR_FLEET,
            "ce_time": text | {"format": "date-time", "description": "event time, or when a person acted"},
            "content-type": {"const": JSON},
        },
    }


def _schemas(payloads: Iterable[type]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components(list(payloads), ref_template=_REF)
    name_readings(components["JsonFrame"], _REF.format(name="JsonFrame"))
    # AsyncAPI's own schemas are of draft 7, where the places of an array are `items`.
    frame = components["Frame"]
    frame["items"] = frame.pop("prefixItems")
    for name, item in zip(Frame.__struct_fields__, frame["items"], strict=True):
        item["title"] = name
    return {name: _without_discriminators(schema) for name, schema in components.items()}


def _without_discriminators(schema: Any) -> Any:
    """OpenAPI's has a mapping, which AsyncAPI's has not; each alternative says by itself which tag it has."""
    if isinstance(schema, dict):
        return {name: _without_discriminators(part) for name, part in schema.items() if name != "discriminator"}
    return [_without_discriminators(part) for part in schema] if isinstance(schema, list) else schema
