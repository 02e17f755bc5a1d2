"""A frozen record in one line, for people.

In: a record as it was frozen. Out: text. Pure. Called by `incident_view.py`. What only programs need, the
bundle has.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from serve.incidents import FrozenRecord
from serve.words import component_words

Fields = Mapping[str, Any]


def said(record: FrozenRecord) -> str:
    fields = record.record
    if not isinstance(fields, dict) or record.kind not in _SAID:
        return msgspec.json.encode(fields).decode()
    try:
        return _SAID[record.kind](fields)
    except (KeyError, TypeError, IndexError, ValueError):  # of another version: as it is
        return msgspec.json.encode(fields).decode()


def _transition(fields: Fields) -> str:
    who = f" by {fields['actor']}" if fields["actor"] else ""
    note = f": {fields['note']}" if fields["note"] else ""
    text = fields["text"] or fields["rule"]
    return f"{fields['transition'].replace('_', ' ')}{who}{note} · {component_words(fields['component'])} · {text}"


def _action(fields: Fields) -> str:
    about = component_words(fields["component"]) or "the robot"
    return f"{fields['kind'].replace('_', ' ')} by {fields['actor']}, {about}{_note(fields)}"


def _task(fields: Fields) -> str:
    done = f", last done as entry {fields['done']} says" if fields.get("done") else ""
    what = fields["text"] or fields["task"]
    return f"{fields['state']}: {what}, {component_words(fields['component'])}{done}"


def _logbook(fields: Fields) -> str:
    what = dict(msgspec.json.decode(fields["line"])["entry"]["what"])
    kind = str(what.pop("kind")).replace("_", " ")
    return f"{kind}: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in what.items())


def _health(fields: Fields) -> str:
    zones = ", ".join(f"{component_words(c['component'])} {c['zone']}" for c in fields["components"] if c["zone"])
    return f"{fields['status']}; zones: {zones or 'the data could not tell'}"


def _fleet(fields: Fields) -> str:
    def share(name: str) -> str:
        return f"{fields[name]['affected']} of {fields[name]['robots']}"

    return (
        f"showed the same: {share('same_version')} of this version, {share('other_version')} of others; "
        f"{share('overdue')} overdue, {share('current')} whose service is current"
    )


def _hours(fields: Fields) -> str:
    versions = ", ".join(dict.fromkeys(version or "none" for version in fields["software"]))
    work = ", ".join(dict.fromkeys(work or "none" for work in fields["work"]))
    return f"{len(fields['hour_us'])} hours; software {versions}; work {work}"


def _impossible(fields: Fields) -> str:
    joint = f" of joint {fields['joint']}" if fields["joint"] else ""
    return f"{fields['signal']}{joint}: {fields['value']}"


def _security(fields: Fields) -> str:
    return f"{fields['records']} frames: {fields['reason'].replace('_', ' ')}"


def _written(fields: Fields) -> str:
    return f"{fields['text']} ({fields['author']})"


def _note(fields: Fields) -> str:
    return f": {fields['note']}" if fields["note"] else ""


_SAID: dict[str, Callable[[Fields], str]] = {
    "transition": _transition,
    "action": _action,
    "task": _task,
    "logbook": _logbook,
    "health": _health,
    "fleet": _fleet,
    "hours": _hours,
    "impossible": _impossible,
    "security": _security,
    "note": _written,
}
