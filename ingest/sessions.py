"""The sessions of a recording: which files are replayed together, what they hash to, and when they were.

In: a mapping and a path, the recording's directory or one of its files. Out: `Session`s in the order of their
time, each surveyed once: the digest from which boot ids follow, first and last time, whether its rows are in
order. Called by `robovitals replay` and `robovitals import`.
"""

import hashlib
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from ingest.bags.container import Channels
from ingest.bags.survey import survey
from ingest.mapping import JOINT, PLACEHOLDER, Mapping, Source
from ingest.tables import header_of, read_table
from schemas.errors import SettingError


@dataclass(frozen=True, slots=True)
class SessionFile:
    """`joint` is what the file's name says, 0 where it says none. `in_order`: its times never go back."""

    path: Path
    name: str
    joint: int
    in_order: bool


@dataclass(frozen=True, slots=True)
class Session:
    """Files replayed as one. `shift_us` is added to times as the column has them; `first_us`, `last_us` have it.

    `channels` are those of a file of messages.
    """

    name: str
    source: Source
    files: tuple[SessionFile, ...]
    captures: dict[str, str]
    digest: bytes
    shift_us: int
    first_us: int
    last_us: int
    channels: Channels = field(default_factory=dict)

    def boot_id(self, code: str) -> int:
        """Follows from the robot and the files' names and content, so that a second replay adds nothing."""
        return int.from_bytes(hashlib.blake2b(code.encode() + self.digest, digest_size=8).digest()) >> 11


def find_sessions(mapping: Mapping, path: Path, only: Sequence[str] = ()) -> list[Session]:
    """All sessions under `path` that match one of `only` (all, if it is empty), oldest first. Raises SettingError.

    Of a path to one file, the session that the file belongs to.
    """
    if not path.exists():
        raise SettingError(f"{path}: there is no such file or directory")
    groups = [group for source in mapping.source for group in _groups(source, path, mapping.robot.joint_count)]
    if not groups:
        patterns = ", ".join(source.files for source in mapping.source)
        raise SettingError(f"{path}: nothing in it is of this recording; its files are {patterns}")
    chosen = [group for group in groups if not only or any(_answers(group.name, pattern) for pattern in only)]
    if not chosen:
        names = ", ".join(group.name for group in groups[:3])
        raise SettingError(f"--sessions {' '.join(only)}: matches none of the {len(groups)} there are: {names} …")
    sessions = [_surveyed(group) for group in chosen]
    return sorted(sessions, key=lambda session: (session.first_us, session.name))


def source_files(source: Source, path: Path) -> list[Path]:
    """The files at `path` that are of a source of messages."""
    return [found for group in _groups(source, path, 0) for found, _, _ in group.files]


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    source: Source
    captures: dict[str, str]
    files: list[tuple[Path, str, int]]  # path, name relative to the recording, joint


def _answers(name: str, pattern: str) -> bool:
    return any(fnmatchcase(part, pattern) for part in (name, *name.split("/")))


def _groups(source: Source, path: Path, joints: int) -> Iterator[_Group]:
    """The files of a source, those that differ in `{joint}` only together."""
    root = path if path.is_dir() else path.absolute().parents[source.files.count("/")]
    expression = re.compile(_expression(source.files))
    groups: dict[str, _Group] = {}
    for found in sorted(root.glob(PLACEHOLDER.sub("*", source.files))):
        relative = found.relative_to(root).as_posix()
        match = expression.fullmatch(relative)
        if match is None or not found.is_file():
            continue
        name, joint, captures = relative, 0, match.groupdict()
        if source.merges_joints:
            start, end = match.span(JOINT)
            name, joint = f"{relative[:start]}*{relative[end:]}", int(captures.pop(JOINT))
            if not 1 <= joint <= joints:
                raise SettingError(f"{found}: names joint {joint}; the mapping's robot.joints is {joints}")
        groups.setdefault(name, _Group(name, source, captures, [])).files.append((found, relative, joint))
    for group in groups.values():
        if path.is_dir() or any(found == path.absolute() for found, _, _ in group.files):
            yield group


def _expression(pattern: str) -> str:
    """A file pattern as a regular expression: `*` and `{name}` stay within one folder, `{joint}` is a number."""
    return "".join(_part(part) for part in re.split(r"(\*|\{\w+\})", pattern))


def _part(part: str) -> str:
    if part == "*":
        return "[^/]*"
    if name := PLACEHOLDER.fullmatch(part):
        return rf"(?P<{name[1]}>\d+)" if name[1] == JOINT else rf"(?P<{name[1]}>[^/]+)"
    return re.escape(part)


@dataclass(slots=True)
class _Span:
    """What a survey of one file finds, in the column's own time."""

    first_us: int | None = None
    last_us: int | None = None
    in_order: bool = True
    latest_us: int = 0

    def take(self, time_us: int) -> None:
        if self.first_us is None or self.last_us is None:
            self.first_us = self.last_us = time_us
        self.in_order &= time_us >= self.latest_us or time_us == self.first_us
        self.latest_us = time_us
        self.first_us, self.last_us = min(self.first_us, time_us), max(self.last_us, time_us)


def _surveyed(group: _Group) -> Session:
    if group.source.topics:
        return _surveyed_messages(group)
    spans = [_span(path, group.source) for path, _, _ in group.files]
    first_us = min((span.first_us for span in spans if span.first_us is not None), default=0)
    last_us = max((span.last_us for span in spans if span.last_us is not None), default=0)
    shift_us = _shift_us(group, first_us, last_us)
    return Session(
        name=group.name,
        source=group.source,
        files=tuple(SessionFile(*file, span.in_order) for file, span in zip(group.files, spans, strict=True)),
        captures=group.captures,
        digest=_digest(group),
        shift_us=shift_us,
        first_us=first_us + shift_us,
        last_us=last_us + shift_us,
    )


def _surveyed_messages(group: _Group) -> Session:
    """One file: without `{joint}`, groups have no more. Raises SettingError where it has none of the topics."""
    [(path, name, _)] = group.files
    found = survey(path)
    mapped = [topic for topic in found.topics.values() if topic.channel.topic in group.source.topics]
    if not mapped:
        has = ", ".join(topic.channel.topic for topic in found.topics.values()) or "no message that can be read"
        why = f"; {found.damages[0].reason}" if found.damages else ""
        raise SettingError(f"{path}: none of the topics {', '.join(group.source.topics)}; it has {has}{why}")
    spans = [span for topic in mapped if (span := topic.span_us(group.source.time))] or [(0, 0)]
    return Session(
        name=group.name,
        source=group.source,
        files=(SessionFile(path, name, 0, in_order=True),),
        captures=group.captures,
        digest=_digest(group),
        shift_us=0,
        first_us=min(first_us for first_us, _ in spans),
        last_us=max(last_us for _, last_us in spans),
        channels=found.channels,
    )


def _span(path: Path, source: Source) -> _Span:
    """Read the times only; a row whose time cannot be read is refused later, with its line."""
    lines = read_table(path)
    header = header_of(path, lines)
    span = _Span()
    if not source.time.column:
        rows = sum(1 for _ in lines)
        span.take(source.time.start_us)
        span.take(source.time.start_us + round(max(0, rows - 1) * source.time.interval_s * 1e6))
        return span
    if source.time.column not in header:
        raise SettingError(f"{path}: no column {source.time.column!r} for the time; it has {', '.join(header)}")
    place, read = header.index(source.time.column), source.time.reader()
    for _, cells in lines:
        try:
            span.take(read(cells[place]))
        except (ValueError, IndexError):
            continue
    return span


def _shift_us(group: _Group, first_us: int, last_us: int) -> int:
    """For a clock whose zero nobody knows: put its first or last row at the time in the folder's name."""
    time, path = group.source.time, group.files[0][0]
    if not time.folder_is:
        return 0
    try:
        folder_us = time.folder_us(path.absolute().parent.name)
    except ValueError as error:
        raise SettingError(f"{path}: {error}") from None
    return folder_us - (first_us if time.folder_is == "first_row" else last_us)


def _digest(group: _Group) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    beside = group.files[0][0].parent
    commands = group.source.commands
    extra = [beside / commands.positions, beside / commands.durations_ms] if commands else []
    for path, name in [(path, name) for path, name, _ in group.files] + [(path, path.name) for path in extra]:
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
        except OSError as error:
            raise SettingError(f"{path}: {error.strerror}") from None
        digest.update(name.encode() + b"\0" + content)
    if group.source.rate_hz:
        digest.update(struct.pack("<d", group.source.rate_hz))  # at another rate they are other frames
    return digest.digest()
