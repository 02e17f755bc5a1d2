"""Reading: one message of a robot's own software, as names and numbers, and how it becomes signals.

In: an NDJSON line, or a dictionary given to `Agent.publish`. Out: a `Reading` whose names are signals, mapped as
`robot.toml` says; or ReadingError, which names the field. Pure; called by the sources and by `embedded.py`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from ingest.agent.config import Config
from ingest.mapping import Use
from schemas.errors import RejectError
from schemas.frame import MAX_INTEGER, Readings
from schemas.layout import MAX_JOINTS
from schemas.parts import Parts
from schemas.signals import COUNTERS, MODES, SIGNAL, Component

# A frame of 128 joints is some 30 kB as JSON, and a source may say more than we take.
MAX_LINE_BYTES = 256 * 1024

_Natural = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
_Text = Annotated[str, msgspec.Meta(max_length=200)]
_Cell = float | str | None


class ReadingError(RejectError):
    """A reading that cannot be used. The text names the field; the sender's next one is read as ever."""

    def __init__(self, detail: str) -> None:
        super().__init__("wrong_type", detail)

    def __str__(self) -> str:
        return self.detail


class Message(msgspec.Struct, forbid_unknown_fields=True):
    """One line. A joint signal is an array with an entry a joint, or names of joints with their numbers.

    `time_us` is for a source that knows better than the agent's clock when it measured. `parts`: serials by
    component, all that the robot has; one that is left out is not known any more.
    """

    readings: dict[str, _Cell | list[float | None] | dict[str, float | None]]
    mode: str | None = None
    scenario: _Text | None = None
    software: _Text | None = None
    runtime_s: _Natural | None = None
    energy_wh: _Natural | None = None
    cycles: _Natural | None = None
    time_us: _Natural | None = None
    parts: Parts | None = None


class Reading(msgspec.Struct, frozen=True):
    """What was measured at once, by the names of signals. None: this message says nothing of it.

    All joint signals have the same number of joints, as `pack_readings` wants it.
    """

    readings: Readings
    runtime_s: int | None
    energy_wh: int | None
    cycles: int | None
    mode: int | None
    scenario: str | None
    software: str | None
    time_us: int | None
    parts: Parts | None


_decoder = msgspec.json.Decoder(Message)


def read_line(line: bytes, config: Config) -> Reading:
    """One NDJSON line. Raises ReadingError."""
    if len(line) > MAX_LINE_BYTES:
        raise ReadingError(f"{len(line)} bytes; a reading has at most {MAX_LINE_BYTES}")
    try:
        message = _decoder.decode(line)
    except msgspec.ValidationError as error:
        raise ReadingError(_told(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = _as_python_writes_it(line)
    return to_reading(message, config)


def read_mapping(readings: Mapping[str, Any], config: Config, fields: Mapping[str, Any]) -> Reading:
    """What `Agent.publish` was given; arrays of numpy are sequences too. Raises ReadingError."""
    plain = {name: _plain(value) for name, value in readings.items()}
    try:
        return to_reading(msgspec.convert({"readings": plain, **fields}, Message), config)
    except msgspec.ValidationError as error:
        raise ReadingError(_told(error)) from None


def to_reading(message: Message, config: Config) -> Reading:
    """Map names to signals, counters and the mode. Raises ReadingError."""
    signals: Readings = {}
    counters: dict[str, int | None] = {counter: getattr(message, counter) for counter in COUNTERS}
    mode = message.mode
    for name, value in message.readings.items():
        use = config.readings.get(name)
        if use is None:
            if name in config.ignore:
                continue
            use = Use(signal=name)
        if use.counter:
            counters[use.counter] = _counter(name, value, use)
        elif use.mode:
            mode = _mode(name, value, use)
        else:
            _feed(signals, name, value, use, config)
    if mode is not None and mode not in MODES:
        raise ReadingError(f"mode: {mode[:40]!r} is none of {', '.join(MODES)}")
    for name, text in (("scenario", message.scenario), ("software", message.software)):
        if text is not None and "\0" in text:
            raise ReadingError(f"{name}: a NUL cannot be stored")
    return Reading(
        _even(signals, config),
        runtime_s=counters["runtime_s"],
        energy_wh=counters["energy_wh"],
        cycles=counters["cycles"],
        mode=None if mode is None else MODES.index(mode),
        scenario=message.scenario,
        software=message.software,
        time_us=message.time_us,
        parts=message.parts,
    )


def _feed(signals: Readings, name: str, value: Any, use: Use, config: Config) -> None:
    signal = use.signal
    if signal not in SIGNAL:
        raise ReadingError(
            f"readings.{name[:80]}: not in the signal table (docs/signals.md), "
            "nor in [readings] or ignore of robot.toml"
        )
    if SIGNAL[signal].component is not Component.JOINT:
        signals[signal] = _number(name, value, use)
    elif use.joint:
        joints = _joints_of(signals, signal, name)
        joints += [None] * (use.joint - len(joints))
        joints[use.joint - 1] = _number(name, value, use)
    elif isinstance(value, dict):
        signals[signal] = _named_joints(name, value, use, config)
    elif isinstance(value, list):
        signals[signal] = [_number(name, entry, use) for entry in value]
    else:
        raise ReadingError(f"readings.{name}: a joint's signal is an array, or names of joints with their numbers")


def _joints_of(signals: Readings, signal: str, name: str) -> list[float | None]:
    joints = signals.setdefault(signal, [])
    if not isinstance(joints, list):
        raise ReadingError(f"readings.{name}: {signal} is given twice")
    return joints


def _named_joints(name: str, value: dict[str, float | None], use: Use, config: Config) -> list[float | None]:
    joints: list[float | None] = [None] * max(config.joints.values(), default=0)
    for joint, entry in value.items():
        if joint not in config.joints:
            raise ReadingError(f"readings.{name}.{joint[:80]}: [joints] of robot.toml gives it no number")
        joints[config.joints[joint] - 1] = _number(f"{name}.{joint}", entry, use)
    return joints


def _number(name: str, value: Any, use: Use) -> float | None:
    if value is None:
        return None
    if isinstance(value, (str, list, dict)):
        raise ReadingError(f"readings.{name}: {str(value)[:40]!r} is not a number")
    return (float(value) - use.zero) * use.scale


def _counter(name: str, value: Any, use: Use) -> int | None:
    number = _number(name, value, use)
    if number is None:
        return None
    if not 0 <= number <= MAX_INTEGER:
        raise ReadingError(f"readings.{name}: {number:g} is no count")
    return int(number)


def _mode(name: str, value: Any, use: Use) -> str:
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if text not in use.mode:
        raise ReadingError(f"readings.{name}: {text[:40]!r} is none of {', '.join(use.mode)}")
    return use.mode[text]


def _even(signals: Readings, config: Config) -> Readings:
    """Joint signals of one frame have one length: what names fewer joints is filled up with absent ones."""
    named = max(config.joints.values(), default=0)
    joints = max((len(value) for value in signals.values() if isinstance(value, list)), default=0)
    if joints > MAX_JOINTS:
        raise ReadingError(f"readings: {joints} joints; at most {MAX_JOINTS} are taken")
    if not joints:
        return {name: value for name, value in signals.items() if not isinstance(value, list)}
    joints = max(joints, named)
    return {
        name: value + [None] * (joints - len(value)) if isinstance(value, list) else value
        for name, value in signals.items()
    }


def _as_python_writes_it(line: bytes) -> Message:
    """Python's own writer emits NaN and Infinity: absent and impossible readings, no reason to lose the rest."""
    try:
        return msgspec.convert(json.loads(line), Message)
    except msgspec.ValidationError as error:
        raise ReadingError(_told(error)) from None
    except (ValueError, RecursionError) as error:
        raise ReadingError(f"not JSON: {str(error)[:120]}") from None


def _plain(value: Any) -> Any:
    """Numbers of numpy and of other libraries as Python's, arrays as lists."""
    if value is None or isinstance(value, (str, float, int)):
        return value
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, Sequence) or hasattr(value, "tolist"):
        entries = value.tolist() if hasattr(value, "tolist") else value
        return [_plain(entry) for entry in entries] if isinstance(entries, Sequence) else float(entries)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ReadingError(f"readings: {str(value)[:40]!r} is not a number") from None


def _told(error: msgspec.ValidationError) -> str:
    what, _, place = str(error).partition(" - at `$.")
    return f"{place.rstrip('`')}: {what}" if place else what
