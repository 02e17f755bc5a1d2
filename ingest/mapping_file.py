"""A mapping read from its TOML file and checked.

In: the name of a mapping that is shipped in `ingest/mappings/`, or the path of a user's own. Out: a `Mapping`, or a
SettingError that names the file, the table and the key. Called by `robovitals replay` and `robovitals import`.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ingest.bags.paths import EVERY, PathError, parse_path
from ingest.mapping import LINES, POSITION, TRACKING_ERROR, Field, Mapping, Robot, Source, Topic, Use
from schemas.errors import SettingError
from schemas.signals import COUNTERS, MODES, SIGNAL

SHIPPED = Path(__file__).parent / "mappings"


def known_recordings() -> list[str]:
    """The names of the mappings that are shipped."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load_mapping(recording: str) -> Mapping:
    """A shipped mapping by its name, or the file of one. Raises SettingError naming the file, table and key."""
    path = Path(recording) if recording.endswith(".toml") else SHIPPED / f"{recording}.toml"
    if not path.is_file():
        known = ", ".join(known_recordings())
        raise SettingError(f"--recording {recording}: not known; give one of {known}, or a mapping's .toml file")
    try:
        mapping = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Mapping)
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise SettingError(f"{path}: {str(error).replace('$.', '')}") from None
    for fault in _faults(mapping):
        raise SettingError(f"{path}: {fault}")
    return mapping


def _faults(mapping: Mapping) -> Iterator[str]:
    """What is wrong, each with its table and key, first things first."""
    yield from _robot_faults(mapping.robot)
    if not mapping.source:
        yield "[[source]]: at least one is needed"
    for number, source in enumerate(mapping.source):
        for fault in _source_faults(source, mapping.robot):
            yield f"source[{number}].{fault}"


def _robot_faults(robot: Robot) -> Iterator[str]:
    if len(robot.joint_numbers) < robot.joint_count and not isinstance(robot.joints, int):
        yield "robot.joints: names a joint twice"
    parts = {"enterprise": robot.enterprise, "model": robot.model, "serial": robot.serial}
    missing = [name for name, text in parts.items() if not text]
    if robot.code and len(missing) < len(parts):
        yield "robot: give code, or enterprise, model and serial; not both"
    elif not robot.code and missing:
        yield f"robot: {', '.join(missing)} missing; a code has enterprise (4), model (6) and serial (up to 16)"
    elif not robot.code or not robot.names:
        # Its columns are not known yet; a stand-in of one character shows whether the fixed parts fit.
        try:
            robot.make(dict.fromkeys(robot.names, "0"))
        except SettingError as error:
            yield f"robot: {error}"


def _source_faults(source: Source, robot: Robot) -> Iterator[str]:
    if source.files.startswith("/") or ".." in Path(source.files).parts:
        yield "files: is relative to the recording's directory, and stays in it"
    if len(set(source.placeholders)) != len(source.placeholders):
        yield "files: names a placeholder twice"
    if bool(source.columns) == bool(source.topics):
        yield "columns: give columns, for a table, or topics, for a file of messages"
    if fault := source.time.fault():
        yield f"time: {fault}"
    yield from _topics_faults(source, robot) if source.topics else _columns_faults(source, robot)


def _columns_faults(source: Source, robot: Robot) -> Iterator[str]:
    for column in sorted(set(source.columns) & set(source.left_out)):
        yield f"left_out.{column}: is in columns too"
    if source.time.stamp:
        yield "time: stamp is for a file of messages; a table has column and format"
    if source.rate_hz:
        yield "rate_hz: is for a file of messages"
    fed: dict[tuple[str, int], str] = {}
    for column, use in source.uses:
        for fault in _column_faults(use, robot, source):
            yield f"columns.{column}: {fault}"
        target = (use.signal or use.counter or "mode", robot.joint_of(use))
        if target in fed:
            yield f"columns.{column}: feeds {target[0]} as {fed[target]} does"
        fed[target] = column
    yield from _command_faults(source)


def _column_faults(use: Use, robot: Robot, source: Source) -> Iterator[str]:
    yield from _use_faults(use)
    if use.is_of_joint and not source.merges_joints and not robot.joint_of(use):
        yield f"{use.signal} needs joint = 1 … {robot.joint_count} (robot.joints), or {{joint}} in files"
    elif use.joint and (not use.is_of_joint or source.merges_joints):
        yield "joint is for a joint's signal whose file does not name it"


def _use_faults(use: Use) -> Iterator[str]:
    if sum(map(bool, (use.signal, use.counter, use.mode))) != 1:
        yield "give one of signal, counter and mode"
    if use.signal and use.signal not in SIGNAL:
        yield f"signal {use.signal!r} is not in the signal table (schemas/signals.py)"
    if use.counter and use.counter not in COUNTERS:
        yield f"counter {use.counter!r} is none of {', '.join(COUNTERS)}"
    for text, mode in use.mode.items():
        if mode not in MODES:
            yield f"mode.{text}: {mode!r} is none of {', '.join(MODES)}"


def _command_faults(source: Source) -> Iterator[str]:
    if source.commands is None:
        return
    signals = [use.signal for _, use in source.uses]
    if POSITION not in signals:
        yield f"commands: no column feeds {POSITION}"
    if TRACKING_ERROR in signals:
        yield f"commands: a column feeds {TRACKING_ERROR} already"
    if source.merges_joints:
        yield "commands: go with one file that has all joints"


def _topics_faults(source: Source, robot: Robot) -> Iterator[str]:
    if source.merges_joints or source.commands or source.absent or source.left_out:
        yield "topics: {joint} in files, commands, absent and left_out are for tables"
    if robot.names - set(source.placeholders):
        yield "files: a robot's code comes from a {name} in files where it is a file of messages"
    if not source.time.stamp and (LINES not in source.topics or not source.time.column):
        yield 'time: give stamp = "header" or "log"; JSON lines give column and format'
    if source.time.folder_is:
        yield "time: folder_is is for tables"
    for name, topic in source.topics.items():
        for fault in _topic_faults(topic, robot):
            yield f"topics.{name}.{fault}"


def _topic_faults(topic: Topic, robot: Robot) -> Iterator[str]:
    if topic.joint_names:
        if fault := _path_fault(topic.joint_names):
            yield f"joint_names: {fault}"
        if not robot.joint_numbers:
            yield "joint_names: robot.joints must then be the names, in the order of their numbers"
    fed: dict[tuple[str, int], str] = {}
    for path, use in topic.uses:
        for fault in [*filter(None, [_path_fault(path)]), *_use_faults(use), *_field_faults(path, use, robot)]:
            yield f"fields.{path}: {fault}"
        target = (use.signal or use.counter or "mode", robot.joint_of(use))
        if target in fed:
            yield f"fields.{path}: feeds {target[0]} as {fed[target]} does"
        fed[target] = path


def _path_fault(path: str) -> str | None:
    try:
        parse_path(path)
    except PathError as error:
        return str(error)
    return None


def _field_faults(path: str, use: Field, robot: Robot) -> Iterator[str]:
    every, named = EVERY in path, bool(use.joint or use.joint_name)
    one_of_its = f"joint = 1 … {robot.joint_count}, or joint_name, one of robot.joints"
    if use.fold and (not every or not use.signal):
        yield "fold goes with a signal and with [*]"
    elif every and use.is_of_joint and not use.fold:
        if named:
            yield "[*] runs over joints: leave joint out, or name one element"
        if not robot.joint_count:
            yield "[*] runs over joints: robot.joints says how many, or their names"
    elif every and not use.fold:
        yield "[*] gives many numbers: fold them (min, max, mean, spread), or name one element"
    elif use.is_of_joint and not robot.joint_of(use):
        yield f"{use.signal} needs {one_of_its}"
    elif named and not use.is_of_joint:
        yield "joint is for a joint's signal"
