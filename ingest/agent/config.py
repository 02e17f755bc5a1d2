"""`robot.toml` and the credentials file: what an agent is told, as frozen structs.

In: the tables of a TOML file, read by `config_file.py`. Out: `Config`, `Credentials`, or a SettingError that names
file, table and key. Pure. What a reading's name feeds is said in the words of a recording's mapping
(`ingest/mapping.py`): a signal, a counter or the mode, with `zero` and `scale`.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from ingest.mapping import Use
from schemas.errors import SettingError
from schemas.layout import MAX_JOINTS
from schemas.robot_code import checked_code
from schemas.signals import COUNTERS, MODES, SIGNAL

_Positive = Annotated[float, msgspec.Meta(gt=0)]
_Rate = Annotated[float, msgspec.Meta(gt=0, le=1000)]  # the loop turns once a period
_Seconds = Annotated[float, msgspec.Meta(ge=0)]
_Count = Annotated[int, msgspec.Meta(ge=1)]
_Joint = Annotated[int, msgspec.Meta(ge=1, le=MAX_JOINTS)]
_Text = Annotated[str, msgspec.Meta(max_length=200)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Source(_Table, frozen=True):
    """Where readings come from. `path` is the socket or the file; standard input has none."""

    kind: Literal["stdin", "socket", "file"] = "stdin"
    path: str = ""


class SpoolTable(_Table, frozen=True):
    """The spool's file and bounds. `sync_s`: how much time a power cut may cost."""

    path: str = "spool.db"
    most_mb: _Positive = 512.0
    most_days: _Positive = 14.0
    sync_s: _Seconds = 1.0


class Sending(_Table, frozen=True):
    """How a robot treats the broker, and its fleet's other robots.

    Backlog goes out at `backlog_frames_per_s` at most, and begins up to `backlog_within_s` after connecting.
    A connection is tried again within a random time that grows up to `reconnect_most_s`, and given up when nothing
    was acknowledged for `stuck_s` although something is under way.
    """

    backlog_frames_per_s: _Positive = 200.0
    backlog_within_s: _Seconds = 30.0
    reconnect_most_s: _Positive = 60.0
    stuck_s: _Positive = 30.0


class Config(_Table, frozen=True):
    """One robot's agent. `rate_hz` is the most frames a second; what comes faster is summed up.

    `readings` says for a name of the source what it feeds, where it is not a signal's own name; `joints` gives
    named joints their numbers; `ignore` are names that feed nothing on purpose.
    """

    robot: str = ""
    credentials: str = ""
    bootstrap: str = ""
    rate_hz: _Rate = 1.0
    scenario: _Text = ""
    software: _Text = ""
    source: Source = Source()
    readings: dict[str, Use] = {}
    joints: dict[str, _Joint] = {}
    ignore: list[str] = []
    spool: SpoolTable = SpoolTable()
    send: Sending = Sending()


class Credentials(msgspec.Struct, frozen=True):
    """What `robovitals robot register` gives a robot. A broker without passwords needs no `user`."""

    robot_id: str
    bootstrap: str = ""
    user: str = ""
    password: str = ""
    ca: str = ""
    seal_key: str = ""
    seal_key_version: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)] = 0

    def __repr__(self) -> str:
        return f"Credentials(robot_id={self.robot_id!r}, …)"


def read_config(tables: dict[str, Any], where: str) -> Config:
    """Raises SettingError naming `where`, the table and the key."""
    config = _converted(tables, Config, where)
    for fault in _faults(config):
        raise SettingError(f"{where}: {fault}")
    return config


def read_credentials(tables: dict[str, Any], where: str) -> Credentials:
    """Raises SettingError, which names the key and never repeats a value."""
    try:
        credentials = msgspec.convert(tables, Credentials)
        checked_code(credentials.robot_id)
        bytes.fromhex(credentials.seal_key)
    except msgspec.ValidationError as error:
        raise SettingError(f"{where}: {_told(error)}") from None
    except ValueError:
        raise SettingError(f"{where}: seal_key is not hexadecimal") from None
    except SettingError as error:
        raise SettingError(f"{where}: robot_id: {error}") from None
    if bool(credentials.seal_key) != bool(credentials.seal_key_version):
        raise SettingError(f"{where}: seal_key and seal_key_version go together")
    if bool(credentials.user) != bool(credentials.password):
        raise SettingError(f"{where}: user and password go together")
    return credentials


_Struct = TypeVar("_Struct")


def _converted(tables: dict[str, Any], kind: type[_Struct], where: str) -> _Struct:
    try:
        return msgspec.convert(tables, kind)
    except msgspec.ValidationError as error:
        raise SettingError(f"{where}: {_told(error)}") from None


def _told(error: msgspec.ValidationError) -> str:
    """msgspec says what is wrong and then, after `$.`, where: a person wants the place first."""
    what, _, place = str(error).partition(" - at `$.")
    return f"{place.rstrip('`')}: {what}" if place else what


def _faults(config: Config) -> Iterator[str]:
    """What is wrong, each with its table and key, first things first."""
    if config.robot:
        try:
            checked_code(config.robot)
        except SettingError as error:
            yield f"robot: {error}"
    if config.source.kind != "stdin" and not config.source.path:
        yield f"source.path: a {config.source.kind} needs one"
    if config.source.kind == "stdin" and config.source.path:
        yield "source.path: standard input has none"
    twice = {number for number in config.joints.values() if list(config.joints.values()).count(number) > 1}
    if twice:
        yield f"joints: number {min(twice)} is given twice"
    for name, use in config.readings.items():
        for fault in _use_faults(use):
            yield f"readings.{name}: {fault}"
        if name in config.ignore:
            yield f"ignore: {name} is in readings too"


def _use_faults(use: Use) -> Iterator[str]:
    if sum(map(bool, (use.signal, use.counter, use.mode))) != 1:
        yield "give one of signal, counter and mode"
    if use.signal and use.signal not in SIGNAL:
        yield f"signal {use.signal!r} is not in the signal table (docs/signals.md)"
    if use.joint and (not use.is_of_joint or not 1 <= use.joint <= MAX_JOINTS):
        yield f"joint is for a joint's signal, from 1 to {MAX_JOINTS}"
    if use.counter and use.counter not in COUNTERS:
        yield f"counter {use.counter!r} is none of {', '.join(COUNTERS)}"
    for text, mode in use.mode.items():
        if mode not in MODES:
            yield f"mode.{text}: {mode!r} is none of {', '.join(MODES)}"
