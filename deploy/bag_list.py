"""What is in a bag, for people: `--list` and `--draft` of `robovitals replay` and `robovitals import`.

In: a path, and a mapping if there is one. Out: a table as text, or a mapping's file. Nothing is sent.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ingest.bags.decoding import UNDECODABLE, UnknownTypeError, decoder_of
from ingest.bags.draft import JOINTS, Topics, draft, joint_names
from ingest.bags.stamps import stamp_reader
from ingest.bags.survey import Survey, Surveyed, survey
from ingest.mapping import Mapping, Source
from ingest.sessions import source_files
from ingest.timestamps import Time
from schemas.errors import SettingError
from schemas.robot_code import RobotCode

ENDINGS = (".mcap", ".bag", ".active", ".db3", ".jsonl", ".ndjson")


def list_of(path: Path, mapping: Mapping | None, only: list[str]) -> str:
    """Each file with its topics and its joints, and what the mapping uses. Raises SettingError."""
    parts = []
    for file, source in _files(path, mapping):
        if only and not any(fnmatch(file.name, pattern) for pattern in only):
            continue
        parts.append(_listed(file, survey(file), source))
    if not parts:
        raise SettingError(f"{path}: no bag in it (files that end with {', '.join(ENDINGS)})")
    return "\n\n".join(parts)


def draft_of(path: Path, into: Path, code: RobotCode) -> None:
    """Write a mapping for the bags at `path`. Raises SettingError: also where the file is there already."""
    found: Topics = {}
    files = [file for file, _ in _files(path, None)]
    if not files:
        raise SettingError(f"{path}: no bag in it (files that end with {', '.join(ENDINGS)})")
    stamped = False
    for file in files:
        for topic in survey(file).topics.values():
            messages = _decoded(topic)
            before = found.get(topic.channel.topic, (topic.channel.type, []))[1]
            found[topic.channel.topic] = (topic.channel.type, [*before, *messages])
            stamped |= any(stamp_reader(Time(stamp="header"))(message, -1) != -1 for message in messages[:1])
    ending = files[0].suffix
    text = draft(code, f"*{ending}", "header" if stamped else "log", found)
    try:
        with into.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise SettingError(f"--draft {into}: is there already, and is not written over") from None
    print(f"{into}: look it over, then `robovitals import {path} --recording {into} --wait`")


def _files(path: Path, mapping: Mapping | None) -> Iterator[tuple[Path, Source | None]]:
    if not path.exists():
        raise SettingError(f"{path}: there is no such file or directory")
    if mapping is not None:
        for source in mapping.source:
            if source.topics:
                yield from ((file, source) for file in source_files(source, path))
        return
    if path.is_file():
        yield path, None
        return
    yield from ((file, None) for file in sorted(path.rglob("*")) if file.suffix in ENDINGS and file.is_file())


def _listed(file: Path, found: Survey, source: Source | None) -> str:
    rows = [
        [
            topic.channel.topic,
            topic.channel.type or topic.channel.encoding,
            str(topic.messages),
            _rate(topic),
            _used(topic, source),
        ]
        for topic in sorted(found.topics.values(), key=lambda topic: topic.channel.topic)
    ]
    size = os.path.getsize(file) / 1e6
    lines = [f"{file}: {size:.1f} MB, {_span(found, source)}"]
    lines += _aligned([["topic", "type", "messages", "Hz", "used for"], *rows])
    names = joint_names(
        {t.channel.topic: (t.channel.type, _decoded(t)) for t in found.topics.values() if t.channel.type == JOINTS}
    )
    if names:
        lines.append("joints: " + ", ".join(f"{number} {name}" for number, name in enumerate(names, 1)))
    lines += [f"damaged at {damage.place}: {damage.reason}" for damage in found.damages]
    return "\n".join(lines)


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _decoded(topic: Surveyed) -> list[Any]:
    """Those of the first messages that can be decoded."""
    decoded = []
    try:
        decode = decoder_of(topic.channel)
    except UnknownTypeError:
        return []
    for message in topic.kept:
        try:
            decoded.append(decode(message.data))
        except UNDECODABLE:
            continue
    return decoded


def _rate(topic: Surveyed) -> str:
    seconds = (topic.last_us - topic.first_us) / 1e6
    return f"{(topic.messages - 1) / seconds:.1f}" if seconds > 0 else "–"


def _used(topic: Surveyed, source: Source | None) -> str:
    if source is None:
        return "–"
    mapped = source.topics.get(topic.channel.topic)
    if mapped is None:
        return "–"
    return ", ".join(dict.fromkeys(use.signal or use.counter or "mode" for _, use in mapped.uses))


def _span(found: Survey, source: Source | None) -> str:
    """By the recorder's clock, which JSON lines do not have; or, with a mapping, as that says."""
    if source is None:
        spans = [(topic.first_us, topic.last_us) for topic in found.topics.values() if topic.last_us]
    else:
        mapped = [topic for topic in found.topics.values() if topic.channel.topic in source.topics]
        spans = [span for topic in mapped if (span := topic.span_us(source.time))]
    if not spans:
        return "no time without a mapping" if source is None else "no time that the mapping can read"
    return f"{_moment(min(first for first, _ in spans))} to {_moment(max(last for _, last in spans))}"


def _moment(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S")
