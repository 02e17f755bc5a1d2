"""How long what is kept, and what may go now. Pure; the one place that decides it.

In: settings, chunks of hypertables as they are, and the moments that something still needs. Out: verdicts, a chunk
each. Called by `processors/drop.py`, and with settings from the environment by `robovitals retain`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from schemas.errors import SettingError

FOREVER = "forever"
_FORM = re.compile(r"(\d{1,5})([hdy])\Z")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "y": timedelta(days=365)}


class Kept(msgspec.Struct, frozen=True):
    """A table that grows: the setting that says how long its rows stay by `column`, and how long without it.

    Of a hypertable whole chunks are dropped, of another rows are deleted, but for those of which `unless` is true.
    """

    table: str
    column: str
    setting: str
    default: str
    hypertable: bool = True
    unless: str = "false"


# An Alertmanager is sent the last word on what is open again and again, for as long as it is open.
_LAST_WORD = """EXISTS (
    SELECT FROM told
    WHERE told.receiver = delivery.receiver AND told.episode_id = delivery.episode_id
      AND told.phase IN ('held', 'open')
)"""

# What people did and what alarms became (`action`, `anomaly`, `episode`) is a robot's history and stays.
TABLES = (
    Kept("frame", "time", "ROBOVITALS_KEEP_FRAMES", "7d"),
    Kept("vitals", "start", "ROBOVITALS_KEEP_VITALS", "180d"),
    Kept("vitals_hourly", "start", "ROBOVITALS_KEEP_HOURLY", FOREVER),
    Kept("health_history", "time", "ROBOVITALS_KEEP_HEALTH", FOREVER),
    Kept("impossible_reading", "time", "ROBOVITALS_KEEP_IMPOSSIBLE", "180d"),
    Kept("reject", "received", "ROBOVITALS_KEEP_REJECTS", "90d", hypertable=False),
    Kept("security_event", "last", "ROBOVITALS_KEEP_SECURITY_EVENTS", "90d", hypertable=False),
    Kept("delivery", "finished", "ROBOVITALS_KEEP_DELIVERIES", "90d", hypertable=False, unless=_LAST_WORD),
)


class Chunk(msgspec.Struct, frozen=True):
    """Part of a hypertable: rows from `start` until `end`. `rows` is an estimate."""

    table: str
    start: datetime
    end: datetime
    size_bytes: int
    rows: int


class Needs(msgspec.Struct, frozen=True):
    """`repairs`: starts of windows that a repair will make of frames. `due`: hours to make of vitals;
    vitals from `rolled_until` on it will read as well (None: all of them).
    """

    repairs: Sequence[datetime]
    due: Sequence[datetime]
    rolled_until: datetime | None


class Verdict(msgspec.Struct, frozen=True):
    """`because` is empty where the chunk goes, else why it stays although it is old enough."""

    chunk: Chunk
    because: str = ""


def keep_times(environ: Mapping[str, str]) -> dict[str, timedelta | None]:
    """How long each table's rows stay; None: for ever. Raises SettingError, which names the variable."""
    found = {kept.table: _keep_time(kept.setting, environ.get(kept.setting, kept.default)) for kept in TABLES}
    frames, vitals = found["frame"], found["vitals"]
    if frames is not None and frames < timedelta(days=1):
        raise SettingError("ROBOVITALS_KEEP_FRAMES: give a day or more, for late frames repair vitals from rows")
    if vitals is not None and vitals < timedelta(days=2):
        raise SettingError("ROBOVITALS_KEEP_VITALS: give two days or more, for hours are made of them")
    return found


def _keep_time(setting: str, text: str) -> timedelta | None:
    if text == FOREVER:
        return None
    match = _FORM.match(text)
    if match is None or int(match[1]) == 0:
        raise SettingError(f"{setting}={text!r}: give hours, days or years as 36h, 7d or 2y, or {FOREVER}")
    return int(match[1]) * _UNITS[match[2]]


def verdicts(
    chunks: Sequence[Chunk], keep: Mapping[str, timedelta | None], needs: Needs, now: datetime
) -> list[Verdict]:
    """Of the chunks that are old enough, oldest first."""
    found = []
    for chunk in sorted(chunks, key=lambda chunk: (chunk.start, chunk.table)):
        kept = keep.get(chunk.table)
        if kept is not None and chunk.end <= now - kept:
            found.append(Verdict(chunk, _still_needed(chunk, needs)))
    return found


def _still_needed(chunk: Chunk, needs: Needs) -> str:
    def inside(times: Sequence[datetime]) -> int:
        return sum(chunk.start <= time < chunk.end for time in times)

    if chunk.table in ("frame", "vitals") and (repairs := inside(needs.repairs)):
        return f"{repairs} windows of its time wait for their repair"
    if chunk.table == "vitals":
        if needs.rolled_until is None or chunk.end > needs.rolled_until:
            return "it is not rolled up yet"
        if due := inside(needs.due):
            return f"{due} hours wait to be rolled up again from it"
    return ""


def columnstore(license_name: str, with_row_security: Sequence[str]) -> list[str]:
    """Statements that let TimescaleDB's Community edition pack what no longer changes; none in the other edition.

    It refuses tables with row-level security (timescale/timescaledb#6827), so those stay as they are. Its own
    retention policies are left alone: they know nothing of repairs and roll-ups.
    """
    if license_name != "timescale":
        return []
    return [
        statement
        for table, column, after in (("frame", "time", "2 days"), ("vitals_hourly", "start", "60 days"))
        if table not in with_row_security
        for statement in (
            f"ALTER TABLE {table} SET (timescaledb.compress, timescaledb.compress_segmentby = 'robot_id', "
            f"timescaledb.compress_orderby = '{column}')",
            f"SELECT add_compression_policy('{table}', INTERVAL '{after}', if_not_exists => true)",
        )
    ]
