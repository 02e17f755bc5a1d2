"""The declarative mapping of a recording: which files are one robot's, and what their columns or topics mean.

Types only: `ingest/mapping_file.py` reads one from a TOML file and checks it (docs/recordings.md shows how to write
one). A source is either a table with `columns`, or a file of messages with `topics` (`ingest/bags/`).
"""

import re
from functools import cached_property
from typing import Annotated, Literal, TypeVar

import msgspec

from ingest.timestamps import Time
from schemas.layout import MAX_JOINTS, Layout
from schemas.robot_code import RobotCode, checked_code, make_code
from schemas.signals import SIGNAL, SIGNAL_ORDER, Component

COUNTRY = "ZZ"  # ISO 3166 leaves ZZ to its users: no country registered these robots
JOINT = "joint"  # `{joint}` in a file pattern: files that differ in it only are one robot's, merged by time
PLACEHOLDER = re.compile(r"\{(\w+)\}")
LINES = "lines"  # the topic of a file of JSON lines, which has no other
POSITION, TRACKING_ERROR = "joint_position_rad", "joint_tracking_error_rad"

Fed = TypeVar("Fed", bound="Use")


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


class Field(Use, frozen=True):
    """What one field of a message feeds. `joint_name` is one of `robot.joints`, in place of `joint`; where `[*]`
    runs over joints there is neither. `absent`: values that mean that there is no reading. `fold`: one number of
    all that `[*]` runs over.
    """

    joint_name: str = ""
    absent: tuple[float | str, ...] = ()
    fold: Literal["", "min", "max", "mean", "spread"] = ""


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
    `joints` is their number, or their names in the order of their numbers.
    """

    code: str = ""
    enterprise: str = ""
    model: str = ""
    serial: str = ""
    joints: (
        Annotated[int, msgspec.Meta(ge=0, le=MAX_JOINTS)]
        | Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_JOINTS)]
    ) = 0

    @property
    def joint_count(self) -> int:
        return self.joints if isinstance(self.joints, int) else len(self.joints)

    @property
    def joint_numbers(self) -> dict[str, int]:
        """Name to number, from 1; empty where the mapping only counts joints."""
        return {} if isinstance(self.joints, int) else {name: at for at, name in enumerate(self.joints, 1)}

    def joint_of(self, use: Use) -> int:
        """The number of the joint that a column or field names, 0 where it names none of this robot's."""
        if isinstance(use, Field) and use.joint_name:
            return 0 if use.joint else self.joint_numbers.get(use.joint_name, 0)
        return use.joint if 0 < use.joint <= self.joint_count else 0

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


class Topic(_Table, frozen=True):
    """One topic of a file of messages: each field that feeds something, by its path (`ingest/bags/paths.py`).

    In a path `[*]` runs over joints: numbers 1, 2, 3 … in their order, or, where `joint_names` is the path of their
    names, those of `robot.joints`.
    """

    fields: dict[str, Field | list[Field]]
    joint_names: str = ""

    @property
    def uses(self) -> list[tuple[str, Field]]:
        """Each path with each thing it feeds."""
        return _flat(self.fields)


class Source(_Table, frozen=True, dict=True):
    """One kind of file of a recording. `files` is relative to the recording's directory, with `*` and `{name}`.

    `left_out` gives each column that feeds nothing on purpose, and why. Blank cells and `absent` are absent.
    A file of messages has `topics` in place of `columns`; whatever else is in it feeds nothing. With `rate_hz` its
    messages become that many frames a second, each with the mean, lowest and highest of its time; with 0 each
    message is a frame of its own.
    """

    files: str
    time: Time
    columns: dict[str, Use | list[Use]] = {}
    topics: dict[str, Topic] = {}
    rate_hz: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 0.0
    left_out: dict[str, str] = {}
    absent: list[str] = []
    commands: Commands | None = None
    scenario: Annotated[str, msgspec.Meta(max_length=200)] = ""

    @cached_property
    def uses(self) -> list[tuple[str, Use]]:
        """Each column, or field of each topic, with each thing it feeds."""
        of_topics = [(f"{name} {path}", use) for name, topic in self.topics.items() for path, use in topic.uses]
        return [*_flat(self.columns), *of_topics]

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


def _flat(fed: dict[str, Fed | list[Fed]]) -> list[tuple[str, Fed]]:
    return [(name, use) for name, uses in fed.items() for use in (uses if isinstance(uses, list) else [uses])]
