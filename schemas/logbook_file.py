"""The file that a logbook travels in: JSON lines, each canonical (RFC 8785), so that no byte of it is free.

In: the records of one robot and the anchors that lead to checkpoints, or a file's bytes. Out: the bytes, or
what they hold, line by line. Called by whoever exports a logbook, and by `logbook_check.py`. `docs/logbook.md`
describes it for those who write a checker of their own.

    {"format":"robovitals.logbook","robot_id":"…","v":1}
    {"entry":{…},"link":{…},"opened":[…],"seal":"…","signature":"…"}       one a line, in the order of their numbers
    {"anchor":{"checkpoint":{…},"head":{…},"index":…,"path":[…],"signature":"…"}}                   any number
"""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from schemas.canonical import canonical, parse
from schemas.checkpoint import Anchor
from schemas.entry import Record, decode_record, encode_record
from schemas.errors import RejectError

VERSION = 1
_ANCHOR = b'{"anchor":'


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    robot_id: str
    format: Literal["robovitals.logbook"] = "robovitals.logbook"
    v: Annotated[int, msgspec.Meta(ge=1)] = VERSION


class _AnchorLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    anchor: Anchor


class Broken(msgspec.Struct, frozen=True):
    """A line that is none. `text` says why."""

    text: str


class LogbookFile(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a file. `robot_id` is the header's word, None where that line is broken."""

    robot_id: str | None
    records: tuple[Record | Broken, ...]
    anchors: tuple[Anchor | Broken, ...]


def write_file(robot_id: str, records: Iterable[Record], anchors: Iterable[Anchor] = ()) -> bytes:
    return write_lines(robot_id, map(encode_record, records), anchors)


def write_lines(robot_id: str, records: Iterable[bytes], anchors: Iterable[Anchor] = ()) -> bytes:
    """Of records that are lines already, whatever they hold."""
    lines = [canonical(_Header(robot_id=robot_id)), *records]
    lines += [canonical(_AnchorLine(anchor=anchor)) for anchor in anchors]
    return b"\n".join(lines) + b"\n"


def read_file(data: bytes) -> LogbookFile:
    """Whatever the bytes are, a line that cannot be read is one that says so: its neighbours count."""
    first, *lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()  # the end of the last line, not a line
    elif lines:
        lines[-1] += b"\n"  # the last line is cut off: no line
    records = tuple(_record(line) for line in lines if not line.startswith(_ANCHOR))
    anchors = tuple(_anchor(line) for line in lines if line.startswith(_ANCHOR))
    return LogbookFile(robot_id=_robot(first), records=records, anchors=anchors)


def _robot(line: bytes) -> str | None:
    """Raises RejectError for a file of a later version: it may mean anything."""
    try:
        header = msgspec.convert(parse(line), _Header)
    except (RejectError, msgspec.ValidationError):
        return None
    if header.v != VERSION:
        raise RejectError("future_version", f"a logbook file of version {header.v}; this reads {VERSION}")
    return header.robot_id


def _record(line: bytes) -> Record | Broken:
    try:
        return decode_record(line)
    except RejectError as error:
        return Broken(error.detail)


def _anchor(line: bytes) -> Anchor | Broken:
    try:
        return msgspec.convert(parse(line), _AnchorLine).anchor
    except RejectError as error:
        return Broken(error.detail)
    except msgspec.ValidationError as error:
        return Broken(str(error)[:200])
