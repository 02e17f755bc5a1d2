"""The compatibility promise of docs/consumers.md: today's messages against those of every release."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from deploy.asyncapi import asyncapi

PROMISED = sorted((Path(__file__).parents[2] / "promised").glob("*.json"))
# Words for people may change. A default says what a missing field means, so it may not.
FOR_PEOPLE = {"description", "title", "summary"}


def broken(old: Any, new: Any, at: str = "") -> list[str]:
    """Where `new` is not what `old` promised: one line each."""
    if isinstance(old, dict) and isinstance(new, dict):
        return _broken_object(old, new, at)
    if at.endswith("/enum"):
        return [f"{at}: {word} is gone" for word in old if word not in new]
    if at.endswith("/required"):
        return [] if sorted(old) == sorted(new) else [f"{at}: {sorted(set(old) ^ set(new))}"]
    if at.endswith("/items") and isinstance(old, list) and all("default" in item for item in new[len(old) :]):
        new = new[: len(old)]  # what stands behind the others and may be missing is a new field
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [line for i, pair in enumerate(zip(old, new, strict=True)) for line in broken(*pair, f"{at}/{i}")]
    return [] if old == new else [f"{at}: {old} became {new}"]


def _broken_object(old: dict[str, Any], new: dict[str, Any], at: str) -> list[str]:
    found = []
    for name, before in old.items():
        if isinstance(before, str) and name in FOR_PEOPLE:
            continue
        if name not in new:
            found.append(f"{at}/{name} is gone")
        else:
            found += broken(before, new[name], f"{at}/{name}")
    # What is added to an object's own properties is a field; beside them it is a new condition.
    if "properties" in old:
        found += [f"{at}/{name} is new" for name in new.keys() - old.keys() - FOR_PEOPLE]
    return found


def promise(document: dict[str, Any]) -> dict[str, Any]:
    """What of a document is promised: topics, keys, headers, fields. How long a topic keeps is not."""
    channels = {
        name: {"address": channel["address"], "messages": channel["messages"]}
        for name, channel in document["channels"].items()
    }
    return {"channels": channels, "components": document["components"]}


def test_there_is_something_promised():
    assert PROMISED


@pytest.mark.parametrize("path", PROMISED, ids=lambda path: path.stem)
def test_nothing_that_was_promised_has_changed(path):
    assert broken(promise(json.loads(path.read_text())), promise(asyncapi())) == []


@pytest.fixture
def changed():
    return copy.deepcopy(promise(asyncapi()))


def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


def test_a_new_field_a_new_word_and_a_new_topic_break_nothing(changed):
    schema(changed, "Anomaly")["properties"]["site"] = {"type": "string", "default": ""}
    schema(changed, "Transition")["enum"].append("escalated")
    schema(changed, "Frame")["items"].append({"type": "string", "default": ""})
    schema(changed, "Anomaly")["description"] = "better words"
    changed["channels"]["parts"] = {"address": "fleet.parts", "messages": {}}
    assert broken(promise(asyncapi()), changed) == []


def test_what_a_reader_relies_on_is_missed_when_it_goes(changed):
    anomaly = schema(changed, "Anomaly")
    del anomaly["properties"]["parent"]
    anomaly["properties"]["value"] = {"type": "number"}
    anomaly["required"].append("site")
    schema(changed, "Transition")["enum"].remove("adopted")
    changed["channels"]["anomalies"]["address"] = "fleet.alarms"
    changed["components"]["messages"]["anomaly"]["bindings"]["kafka"]["key"]["pattern"] = ".*"
    schema(changed, "Action")["additionalProperties"] = False
    lines = "\n".join(broken(promise(asyncapi()), changed))
    for what in ("parent is gone", "Anomaly/properties/value", "Anomaly/required", "adopted is gone", "address",
                 "key/pattern", "additionalProperties is new"):  # fmt: skip
        assert what in lines
