"""The declarative mapping of a recording: which files are one robot's, and what each of their columns means.

In: a TOML file, shipped in `ingest/mappings/` or a user's own (docs/recordings.md shows how to write one). Out: a
checked `Mapping`, or a SettingError that names the file, the table and the key. Called by `robovitals replay`.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec

from ingest.timestamps import Time
from schemas.errors import SettingError
from schemas.layout import MAX_JOINTS, Layout
from schemas.robot_code import RobotCode, checked_code, make_code
from schemas.signals import COUNTERS, MODES, SIGNAL, SIGNAL_ORDER, Component

SHIPPED = Path(__file__).parent / "mappings"
COUNTRY = "ZZ"  # ISO 3166 leaves ZZ to its users: no country registered these robots
JOINT = "joint"  # `{joint}` in a file pattern: files that differ in it only are one robot's, merged by time
PLACEHOLDER = re.compile(r"\{(\w+)\}")
POSITION, TRACKING_ERROR = "joint_position_rad", "joint_tracking_error_rad"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Use(_Table, frozen=True):
    """What one column feeds: a signal, a counter, or the mode.

    A signal's value is (number − `zero`) × `scale`, in double precision, then float32. `joint` counts from 1 and
    is left out where the file's name has it. `mode` gives for each text of the column the robot's mode.
    """

    signal: str = ""
    joint: int = 0
    zero: float = 0.0
    scale: float = 1.0
    counter: str = ""
    mode: dict[str, str] = {}

    @property
    def is_of_joint(self) -> bool:
        return self.signal in SIGNAL and SIGNAL[self.signal].component is Component.JOINT


class Commands(_Table, frozen=True):
    """Movement commands beside the rows: two files of the row file's folder, with its columns and its clock.

    Once a command's duration is over, and until the next command, measured − commanded of every column that feeds
    `joint_position_rad` is a `joint_tracking_error_rad`; at other times there is none.
    """

    positions: str
    durations_ms: str


class Robot(_Table, frozen=True):
    """Whose readings they are: a whole `code`, or the parts of one of our own making.

    `code` and `serial` may hold `{name}`: the value of a column, or of a placeholder in the source's `files`.
    """

    code: str = ""
    enterprise: str = ""
    model: str = ""
    serial: str = ""
    joints: Annotated[int, msgspec.Meta(ge=0, le=MAX_JOINTS)] = 0

    @property
    def names(self) -> set[str]:
        """The columns and placeholders that the code is made from."""
        return set(PLACEHOLDER.findall(self.code or self.serial))

    def make(self, values: dict[str, str]) -> RobotCode:
        """The code of a row. Raises SettingError."""
        text = PLACEHOLDER.sub(lambda match: values[match[1]], self.code or self.serial)
        if self.code:
            return checked_code(text)
        return make_code(COUNTRY, self.enterprise, self.model, text)


class Source(_Table, frozen=True, dict=True):
    """One kind of file of a recording. `files` is relative to the recording's directory, with `*` and `{name}`.

    `left_out` gives each column that feeds nothing on purpose, and why. Blank cells and `absent` are absent.
    """

    files: str
    time: Time
    columns: dict[str, Use | list[Use]]
    left_out: dict[str, str] = {}
    absent: list[str] = []
    commands: Commands | None = None
    scenario: Annotated[str, msgspec.Meta(max_length=200)] = ""

    @cached_property
    def uses(self) -> list[tuple[str, Use]]:
        """Each column with each thing it feeds."""
        return [
            (column, use)
            for column, fed in self.columns.items()
            for use in (fed if isinstance(fed, list) else [fed])
        ]

    @property
    def placeholders(self) -> list[str]:
        return PLACEHOLDER.findall(self.files)

    @property
    def merges_joints(self) -> bool:
        return JOINT in self.placeholders

    def layout(self, joints: int) -> Layout:
        """The canonical layout of this source's frames."""
        names = {use.signal for _, use in self.uses if use.signal}
        names |= {TRACKING_ERROR} if self.commands else set()
        return Layout(joints, tuple(sorted(names, key=SIGNAL_ORDER.__getitem__)))


class Mapping(_Table, frozen=True):
    """A recording: what it is (`title`, `origin`), the robot, and its sources."""

    title: str
    robot: Robot
    source: list[Source]
    origin: str = ""
    software: Annotated[str, msgspec.Meta(max_length=200)] = ""


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
    if fault := source.time.fault():
        yield f"time: {fault}"
    for column in sorted(set(source.columns) & set(source.left_out)):
        yield f"left_out.{column}: is in columns too"
    fed: dict[tuple[str, int], str] = {}
    for column, use in source.uses:
        for fault in _use_faults(use, robot, source):
            yield f"columns.{column}: {fault}"
        target = (use.signal or use.counter or "mode", use.joint)
        if target in fed:
            yield f"columns.{column}: feeds {target[0]} as {fed[target]} does"
        fed[target] = column
    yield from _command_faults(source)


def _use_faults(use: Use, robot: Robot, source: Source) -> Iterator[str]:
    if sum(map(bool, (use.signal, use.counter, use.mode))) != 1:
        yield "give one of signal, counter and mode"
    if use.signal and use.signal not in SIGNAL:
        yield f"signal {use.signal!r} is not in the signal table (schemas/signals.py)"
    elif use.is_of_joint and not source.merges_joints and not 1 <= use.joint <= robot.joints:
        yield f"{use.signal} needs joint = 1 … {robot.joints} (robot.joints), or {{joint}} in files"
    elif use.joint and (not use.is_of_joint or source.merges_joints):
        yield "joint is for a joint's signal whose file does not name it"
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
