"""The AsyncAPI document is one, and what we write is what it says."""

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from deploy.asyncapi import CHANNELS, asyncapi
from schemas.anomaly import encode_anomaly
from schemas.frame import Frame, encode_frame
from schemas.reject import encode_reject
from schemas.topics import TOPICS
from support import messages
from support.frames import frame

TESTS = Path(__file__).parents[2]
GOLDEN = TESTS / "golden"
OFFICIAL = TESTS / "vendored" / "asyncapi-3.0.0.schema.json"


def check(document, schema):
    """Against a schema of the document, or a part of one."""
    jsonschema.Draft7Validator(schema | {"components": asyncapi()["components"]}).validate(document)


def named(name):
    return {"$ref": f"#/components/schemas/{name}"}


def test_it_is_an_asyncapi_document_by_the_official_schema():
    validator = jsonschema.Draft7Validator(json.loads(OFFICIAL.read_text()))
    assert not [error.message for error in validator.iter_errors(asyncapi())]
    broken = asyncapi() | {"channels": {"frames": {"adress": "telemetry.frames"}}}
    assert list(validator.iter_errors(broken))


def test_every_reference_in_it_leads_somewhere():
    document = asyncapi()

    def walk(part):
        if isinstance(part, dict):
            if isinstance(reference := part.get("$ref"), str):
                at = document
                for step in reference.removeprefix("#/").split("/"):
                    at = at[step]
            part = list(part.values())
        if isinstance(part, list):
            for one in part:
                walk(one)

    walk(document)


def test_it_has_the_public_topics_and_none_that_is_ours_alone():
    addresses = {channel["address"] for channel in asyncapi()["channels"].values()}
    assert addresses == {
        "telemetry.frames", "telemetry.rejects", "fleet.health", "fleet.anomalies", "fleet.actions",
        "fleet.logbook", "fleet.checkpoints",
    }  # fmt: skip
    ours = {topic.name for topic in TOPICS} - addresses
    assert all(name == "telemetry.vitals" or name.startswith("robovitals.") for name in ours)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("frame.v1.json", "JsonFrame"),
        ("health.v1.json", "Health"),
        ("health.v1.life.json", "Health"),
        ("anomaly.v1.json", "Anomaly"),
        ("anomaly.v1.states.json", "Anomaly"),
        ("action.v1.json", "Action"),
    ],
)
def test_the_kept_messages_fulfil_it(file, name):
    check(json.loads((GOLDEN / file).read_bytes()), named(name))


def test_what_travels_as_messagepack_fulfils_it_too():
    # As JSON has no bytes, they stand for themselves in base64.
    packed = msgspec.to_builtins(msgspec.msgpack.decode(encode_frame(frame())), builtin_types=())
    check(packed, named("Frame"))
    fields = asyncapi()["components"]["schemas"]["Frame"]["items"]
    assert [field["title"] for field in fields] == list(Frame.__struct_fields__)
    reject = msgspec.to_builtins(msgspec.msgpack.decode(encode_reject(messages.REJECT)))
    check(reject, named("Reject"))
    with pytest.raises(jsonschema.ValidationError):
        check(packed[:14], named("Frame"))
    check(packed[:15], named("Frame"))  # as it was before drops and extremes


@pytest.mark.parametrize("anomaly", [messages.ANOMALY, messages.SILENT])
def test_an_anomalys_headers_are_those_of_the_document(anomaly):
    headers = {name: value.decode() for name, value in encode_anomaly(anomaly)[1]}
    told = asyncapi()["components"]["messages"]["anomaly"]["headers"]
    check(headers, told)
    assert headers.keys() == told["properties"].keys()
    with pytest.raises(jsonschema.ValidationError):
        check(headers | {"ce_type": "robovitals.anomaly.exploded"}, told)


@pytest.mark.parametrize("code", [messages.CODE, "fleet"])
def test_a_key_is_a_robot_code_or_fleet_where_that_is_allowed(code):
    for channel in CHANNELS:
        accepted = jsonschema.Draft7Validator(channel.key).is_valid(code)
        allowed = "fleet" if code == "fleet" else "robot code"
        assert accepted == (allowed in channel.topic.key)
