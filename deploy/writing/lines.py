"""A file of many entries over many robots: CSV, or JSON lines.

In: a file. Out: of each line its number, and a `Draft` or why it is none. Called by `robovitals logbook import` and
`robovitals robot import`. A line is an entry: `code`, `kind`, `happened`, maybe `runtime_s`, and the fields of its
kind by name; an empty cell says nothing. What is wrong with a line concerns that line only, what is wrong with the
head of a CSV all of it.
"""

import csv
import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from schemas.draft import Draft, fields_of, time_us
from schemas.entry import Attachment
from schemas.errors import SettingError
from schemas.logbook import KINDS, KeyRegistered, KeyRevoked, kind_name
from schemas.robot_code import checked_code

CODE, KIND, HAPPENED, RUNTIME, ATTACHMENTS = "code", "kind", "happened", "runtime_s", "attachments"
OWN = (CODE, KIND, HAPPENED, RUNTIME, ATTACHMENTS)
"""Names that are not a kind's."""
PLATFORMS_OWN = (kind_name(KeyRegistered), kind_name(KeyRevoked))
"""Kinds that other commands write."""
WRITABLE = tuple(kind for kind in KINDS if kind not in PLATFORMS_OWN)

CSV = ".csv"

Row = Mapping[str, object]


def read_drafts(path: Path) -> Iterator[tuple[int, Draft | str]]:
    """Raises SettingError for what is wrong with the file as a whole."""
    rows = read_table(path, _known_columns()) if path.suffix == CSV else _read_json(path)
    for number, row in rows:
        try:
            yield number, row if isinstance(row, str) else draft_of(row)
        except SettingError as error:
            yield number, str(error)


def read_table(
    path: Path, known: Sequence[str], is_known: Callable[[str], bool] = lambda _: False
) -> Iterator[tuple[int, Row | str]]:
    """The rows of a CSV without their empty cells. Raises SettingError for a head that cannot be meant."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, restkey="", strict=True)
        try:
            _check_head(path, table.fieldnames or (), known, is_known)
            for row in table:
                yield table.line_num, "it has more cells than the head" if "" in row else _filled(row)
        except (csv.Error, UnicodeDecodeError) as error:
            raise SettingError(f"{path}, line {table.line_num + 1}: {error}") from None


def draft_of(row: Row) -> Draft:
    """Raises SettingError."""
    kind = text_of(row, KIND)
    if kind not in WRITABLE:
        raise SettingError(f"{KIND} {kind[:40]!r}: one of {', '.join(WRITABLE)}")
    return Draft(
        robot_id=checked_code(text_of(row, CODE)),
        kind=kind,
        values={name: value for name, value in row.items() if name not in OWN and value is not None},
        happened_us=time_us(HAPPENED, text_of(row, HAPPENED)),
        runtime_s=_converted(row, RUNTIME, int | None, None),
        attachments=_converted(row, ATTACHMENTS, tuple[Attachment, ...], ()),
    )


def text_of(row: Row, name: str) -> str:
    """Raises SettingError where there is none."""
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise SettingError(f"it has no {name}")
    return value.strip()


def count_lines(path: Path) -> int:
    """For whoever shows how far it is."""
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _read_json(path: Path) -> Iterator[tuple[int, Row | str]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, _object(line)


def _object(line: bytes) -> Row | str:
    try:
        return msgspec.json.decode(line, type=dict[str, object])
    except (ValueError, RecursionError) as error:
        return f"it is no JSON object: {error}"


def _known_columns() -> list[str]:
    fields = {field.name for kind in WRITABLE for field in fields_of(kind)}
    return [CODE, KIND, HAPPENED, RUNTIME, *sorted(fields)]


def _check_head(path: Path, names: Sequence[str], known: Sequence[str], is_known: Callable[[str], bool]) -> None:
    if CODE not in names:
        raise SettingError(f"{path}: the head has no column {CODE!r}")
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        raise SettingError(f"{path}: the head has column {twice[0]!r} twice")
    for name in names:
        if name not in known and not is_known(name):
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it may have {', '.join(known)}"
            raise SettingError(f"{path}: no column is called {name!r}: {hint}")


def _filled(row: Mapping[str, str | None]) -> Row:
    return {name: cell.strip() for name, cell in row.items() if cell and cell.strip()}


def _converted(row: Row, name: str, kind: Any, default: object) -> Any:
    try:
        return msgspec.convert(row.get(name, default), kind, strict=False)
    except msgspec.ValidationError as error:
        raise SettingError(f"{name}: {error}") from None
