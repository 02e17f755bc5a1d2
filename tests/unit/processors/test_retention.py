"""How long what is kept, and what stays although it is old enough."""

from datetime import UTC, datetime, timedelta

import pytest

from processors.retention import TABLES, Chunk, Needs, Verdict, columnstore, keep_times, verdicts
from schemas.errors import SettingError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEEP = keep_times({})
NOTHING = Needs([], [], NOW)


def _chunk(table: str, days_ago: int) -> Chunk:
    return Chunk(table, NOW - (days_ago + 1) * DAY, NOW - days_ago * DAY, 1, 1)


def test_frames_stay_days_vitals_months_and_hours_for_life():
    assert KEEP["frame"] == 7 * DAY
    assert KEEP["vitals"] == 180 * DAY
    assert KEEP["vitals_hourly"] is None
    assert KEEP.keys() == {kept.table for kept in TABLES}


def test_a_setting_counts_in_hours_days_or_years():
    times = keep_times({"ROBOVITALS_KEEP_FRAMES": "36h", "ROBOVITALS_KEEP_HOURLY": "15y"})
    assert times["frame"] == timedelta(hours=36)
    assert times["vitals_hourly"] == 15 * 365 * DAY


@pytest.mark.parametrize("text", ["", "7", "0d", "-1d", "7w", "7 d", "always", "1e3d", "999999d"])
def test_a_wrong_time_names_its_setting(text: str):
    with pytest.raises(SettingError, match="ROBOVITALS_KEEP_REJECTS"):
        keep_times({"ROBOVITALS_KEEP_REJECTS": text})


@pytest.mark.parametrize("setting", ["ROBOVITALS_KEEP_FRAMES", "ROBOVITALS_KEEP_VITALS"])
def test_what_others_are_made_of_cannot_be_kept_too_short(setting: str):
    with pytest.raises(SettingError, match=setting):
        keep_times({setting: "1h"})


def test_a_chunk_goes_when_its_youngest_row_is_old_enough():
    chunks = [_chunk("frame", days) for days in (6, 7, 8)]
    assert verdicts(chunks, KEEP, NOTHING, NOW) == [Verdict(chunks[2]), Verdict(chunks[1])]


def test_what_is_kept_for_ever_never_goes():
    assert verdicts([_chunk("vitals_hourly", 9999)], KEEP, NOTHING, NOW) == []


def test_frames_stay_while_a_window_of_their_time_waits_for_its_repair():
    chunk = _chunk("frame", 10)
    (inside,) = verdicts([chunk], KEEP, Needs([chunk.start], [], NOW), NOW)
    (outside,) = verdicts([chunk], KEEP, Needs([chunk.end], [], NOW), NOW)
    assert (inside.because, outside.because) == ("1 windows of its time wait for their repair", "")


@pytest.mark.parametrize("rolled_until", [None, NOW - 200 * DAY - timedelta(hours=1)])
def test_vitals_stay_until_they_are_rolled_up(rolled_until: datetime | None):
    (verdict,) = verdicts([_chunk("vitals", 200)], KEEP, Needs([], [], rolled_until), NOW)
    assert verdict.because == "it is not rolled up yet"


def test_vitals_stay_while_an_hour_of_theirs_is_due_again():
    chunk = _chunk("vitals", 200)
    (verdict,) = verdicts([chunk], KEEP, Needs([], [chunk.start, chunk.end], NOW), NOW)
    assert verdict.because == "1 hours wait to be rolled up again from it"


def test_only_the_community_edition_packs_and_only_tables_without_row_security():
    assert columnstore("apache", []) == []
    packed = columnstore("timescale", ["frame"])
    assert [statement.split("(")[0] for statement in packed] == [
        "ALTER TABLE vitals_hourly SET ",
        "SELECT add_compression_policy",
    ]
    assert columnstore("timescale", ["frame", "vitals_hourly"]) == []
