"""Where in time a recording's rows lie: the `time` table of a mapping, and how a cell becomes UTC µs.

In: the table and a cell's text. Out: integer µs, or ValueError with the reason a row is refused for. A column of
seconds whose zero nobody knows (`elapsed_s`) is placed by the time in the name of the rows' folder; rows without
any time are placed at a declared interval from a declared start. Used by `ingest/mapping.py` and what reads rows.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Literal

import msgspec

from schemas.frame import MAX_INTEGER

ISO, EPOCH_S, ELAPSED_S = "iso", "epoch_s", "elapsed_s"
FORMATS = f"{ISO}, {EPOCH_S}, {ELAPSED_S}, or a pattern such as %Y-%m-%d %H:%M:%S"
FOLDER_FORM = "YYYYMMDD_hhmmss"
_FOLDER = re.compile(r"(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)\Z")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Time(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `column` and `format`, or `start` and `interval_s` for rows that carry no time; or, for messages,
    `stamp`: the time in a message's own header (the recorder's where that has none), or the recorder's always.

    `folder_is` says, for `elapsed_s`, which row the folder's time is the time of. `utc_offset` (`+08:00`) holds
    for time stamps that name no zone.
    """

    column: str = ""
    format: str = ""
    folder_is: Literal["first_row", "last_row", ""] = ""
    utc_offset: str = "+00:00"
    start: str = ""
    interval_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    stamp: Literal["header", "log", ""] = ""

    def fault(self) -> str | None:
        """What is wrong with the table, or None."""
        if _OFFSET.match(self.utc_offset) is None:
            return f"utc_offset {self.utc_offset!r} is not of the form +08:00"
        if self.stamp:
            given = self.column or self.format or self.start or self.interval_s or self.folder_is
            return "stamp stands alone: leave the other keys out" if given else None
        if not self.column:
            return self._fault_without_column()
        if self.start or self.interval_s:
            return "start and interval_s are for rows without a time; leave them out or leave out column"
        if self.format not in (ISO, EPOCH_S, ELAPSED_S) and "%" not in self.format:
            return f"format {self.format!r} is not known; it is one of {FORMATS}"
        if (self.format == ELAPSED_S) != bool(self.folder_is):
            return f'folder_is ("first_row" or "last_row") goes with format = "{ELAPSED_S}", and only with it'
        return None

    def _fault_without_column(self) -> str | None:
        if not self.start or self.interval_s <= 0:
            return "column is missing; rows without a time need start and an interval_s above 0"
        try:
            _iso(self.start, self._zone)
        except ValueError as error:
            return f"start: {error}"
        return None

    @property
    def start_us(self) -> int:
        """Where the first row lies when rows carry no time."""
        return _iso(self.start, self._zone)

    @property
    def _zone(self) -> timezone:
        sign, hours, minutes = re.fullmatch(_OFFSET, self.utc_offset).groups()  # type: ignore[union-attr]
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-offset if sign == "-" else offset)

    def reader(self) -> Callable[[str], int]:
        """A function from a cell to µs; for `elapsed_s` still from the column's own zero."""
        zone, pattern = self._zone, self.format
        if pattern == ISO:
            return lambda text: _iso(text, zone)
        if pattern in (EPOCH_S, ELAPSED_S):
            return _seconds
        return lambda text: _micros(_parsed(text, pattern), zone)

    def folder_us(self, folder: str) -> int:
        """The time in a folder's name. Raises ValueError. Its seconds may exceed 59: real recordings have 64."""
        match = _FOLDER.match(folder)
        if match is None:
            raise ValueError(f"folder {folder!r} does not name a time as {FOLDER_FORM}")
        year, month, day, hours, minutes, seconds = map(int, match.groups())
        midnight = datetime(year, month, day, tzinfo=self._zone)
        return _micros(midnight + timedelta(hours=hours, minutes=minutes, seconds=seconds), self._zone)


def _iso(text: str, zone: timezone) -> int:
    try:
        return _micros(datetime.fromisoformat(text), zone)
    except ValueError:
        raise ValueError(f"time {text[:40]!r} is not ISO 8601") from None


def _parsed(text: str, pattern: str) -> datetime:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 (the zone is the mapping's, added by _micros)
    except ValueError:
        raise ValueError(f"time {text[:40]!r} is not of the form {pattern}") from None


def _micros(moment: datetime, zone: timezone) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (aware - _EPOCH) // _MICROSECOND


def _seconds(text: str) -> int:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not abs(seconds) * 1e6 <= MAX_INTEGER:
        raise ValueError(f"time {text[:40]!r} is not a number of seconds")
    return round(seconds * 1e6)
