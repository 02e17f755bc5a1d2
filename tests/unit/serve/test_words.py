"""How the page says things."""

from datetime import UTC, datetime

import pytest

from processors.wording import words_of
from schemas.anomaly import AlarmState
from schemas.health import Status, Zone
from schemas.signals import SIGNALS
from serve import words


def test_every_status_zone_and_state_has_words():
    assert set(words.STATUS_WORDS) == set(Status)
    assert set(words.ZONE_WORDS) == set(Zone) - {Zone.NONE}
    assert set(words.STATE_WORDS) == set(AlarmState)


def test_no_two_statuses_share_a_letter():
    assert len({word.letter for word in words.STATUS_WORDS.values()}) == len(Status)


def test_a_robot_that_was_not_judged_is_unknown():
    assert words.status_word(None) is words.STATUS_WORDS[Status.UNKNOWN]


@pytest.mark.parametrize("signal", [signal.name for signal in SIGNALS])
def test_a_signal_is_called_what_the_sentences_of_findings_call_it(signal):
    assert words.signal_words(signal) == words_of(signal)


def test_since_when_is_left_out_of_a_sentence_beside_a_column_for_it():
    sentence = "Joint 2 temperature is 97 °C, above its alarm limit of 90 °C, since 2026-11-24 12:31:54 UTC."
    assert words.brief(sentence) == "Joint 2 temperature is 97 °C, above its alarm limit of 90 °C."


SENTENCE = "Joint 2 temperature is 97 °C, above its alarm limit of 90 °C, since 2026-11-24 12:31:54 UTC."


@pytest.mark.parametrize(
    ("done", "actor", "note"),
    [
        ("Part of episode 7740aa, which speaks for it.", "", ""),
        ("Speaks for itself again.", "mira", "seen"),
        ("Acknowledged by mira: fan is blocked. See to it!", "mira", "fan is blocked. See to it!"),
        ("Acknowledged by mi.ra.", "mi.ra", ""),
        ("Shelved until 2026-11-24 22:15:25 UTC by mira: for tonight.", "mira", "for tonight"),
        ("Off the shelf.", "", ""),
        ("Off the shelf.", "mira", "for tonight"),
    ],
)
def test_what_is_the_matter_is_told_without_what_was_done_about_it(done, actor, note):
    assert words.matter(f"{done} {SENTENCE}", actor, note) == SENTENCE
    assert words.matter(SENTENCE, actor, note) == SENTENCE


def test_of_a_parent_it_is_told_whom_it_speaks_for():
    sentence = "34 robots of model M, software simulator 2: backlash above its limit."
    assert words.group_words(sentence) == "34 robots of model M, software simulator 2"


def test_large_numbers_are_grouped():
    assert words.count_of(12_345, "robot") == "12\u202f345 robots"
    assert words.count_of(1, "robot") == "1 robot"


def test_a_moment_is_utc_to_the_second():
    assert words.moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02 03:04:05 UTC"
