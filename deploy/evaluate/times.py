"""A column of times, in whatever form a file has them, as µs since 1970.

In: texts of the column. Out: integers. Called by `deploy/evaluate/table.py`. The first rows decide the form for the
whole file, so that 03/04 is never read once this way and once that: a file of day/month dates in which none of the
first rows says which is which is refused, and a time that is of no form names its line.
"""

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone

from schemas.errors import SettingError

FORMS = "a number (seconds, or s, ms, µs or ns since 1970) or ISO 8601, such as 2026-03-02 08:00:00"
# From where on a number means ns, µs and ms since 1970 (1973 in each). Below, seconds: of a clock, or since 1970.
UNITS_US = ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3))

_DATE = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})"
    r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp][Mm])?)?"
)
_ZONE = re.compile(r"\s*(?:Z|UTC|GMT|([+-])(\d{2}):?(\d{2}))$", re.IGNORECASE)
YEAR_FIRST, DAY_FIRST, MONTH_FIRST = (0, 1, 2), (2, 1, 0), (2, 0, 1)

Reader = Callable[[str], int]


def reader_of(texts: Sequence[str], first_line: int, column: str) -> Reader:
    """How to read this column, by its first texts. The reader raises ValueError. Raises SettingError."""
    for at, text in enumerate(texts):
        if text := text.strip():
            if _is_number(text):
                return _numbers(float(text.replace(",", ".")))
            if _is_iso(text):
                return _iso
            if _DATE.fullmatch(_without_zone(text)[0]):
                return _dates(texts, first_line, column)
            raise SettingError(f"line {first_line + at}, column {column!r}: {text!r} is not a time: give {FORMS}")
    raise SettingError(f"column {column!r} has no time in lines {first_line} to {first_line + len(texts) - 1}")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text.replace(",", ".")))
    except ValueError:
        return False


def _numbers(first: float) -> Reader:
    unit_us = next((unit for least, unit in UNITS_US if abs(first) >= least), 1e6)

    def read(text: str) -> int:
        # Whole numbers stay whole: 2^53 µs are not enough for ns since 1970.
        if unit_us == 1e-3 and text.isdigit():
            return int(text) // 1000
        try:
            return round(float(text) * unit_us)
        except (ValueError, OverflowError):
            return round(float(text.replace(",", ".")) * unit_us)

    return read


def _is_iso(text: str) -> bool:
    try:
        _iso(text)
    except ValueError:
        return False
    return True


def _iso(text: str) -> int:
    try:
        return _us(datetime.fromisoformat(text.strip()))
    except ValueError:
        plain, zone = _without_zone(text.strip())
        return _us(datetime.fromisoformat(plain).replace(tzinfo=zone))


def _dates(texts: Sequence[str], first_line: int, column: str) -> Reader:
    """Dates with the year first, or the day, or the month: the first that cannot be a month says which."""
    order = None
    for text in texts:
        match = _DATE.fullmatch(_without_zone(text.strip())[0])
        if match is None:
            continue
        order = _order(match)
        if order:
            break
    if order is None:
        raise SettingError(
            f"line {first_line}, column {column!r}: {texts[0]!r} may be day/month or month/day, and none of the "
            f"first {len(texts)} rows says which: write ISO 8601, such as 2026-03-02 08:00:00"
        )
    return lambda text: _date(text, order)


def _order(match: re.Match[str]) -> tuple[int, int, int] | None:
    """Where year, month and day stand in a date; None if it may be either."""
    if len(match[1]) == 4:
        return YEAR_FIRST
    if match[2] == "." or int(match[1]) > 12:
        return DAY_FIRST  # nobody writes a month first with points
    return MONTH_FIRST if int(match[3]) > 12 else None


def _date(text: str, order: tuple[int, int, int]) -> int:
    plain, zone = _without_zone(text.strip())
    match = _DATE.fullmatch(plain)
    if match is None:
        raise ValueError(text)
    parts = match[1], match[3], match[4]
    year, month, day = (int(parts[place]) for place in order)
    hour, minute, second = (int(match[place] or 0) for place in (5, 6, 7))
    if half := match[9]:
        hour = hour % 12 + (12 if half.upper() == "PM" else 0)
    fraction_us = int(f"{match[8] or 0:0<6}"[:6])
    moment = datetime(year + 2000 if year < 100 else year, month, day, hour, minute, second, fraction_us, zone)
    return _us(moment)


def _without_zone(text: str) -> tuple[str, timezone]:
    match = _ZONE.search(text)
    if match is None or len(text) < 11:
        return text, UTC
    offset = timedelta(hours=int(match[2]), minutes=int(match[3])) if match[1] else timedelta()
    return text[: match.start()], timezone(-offset if match[1] == "-" else offset)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _us(moment: datetime) -> int:
    """Times that name no zone are UTC."""
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
