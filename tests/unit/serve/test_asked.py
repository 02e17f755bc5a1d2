"""Addresses of pages."""

import pytest

from schemas.errors import SettingError
from serve.asked import asked_of, options


def asked(*query: tuple[str, str]):
    return asked_of("/", query)


def test_an_empty_field_of_a_form_asks_for_nothing():
    assert asked(("model", ""), ("text", "  "), ("status", "FAILURE")).filters == [("status", "FAILURE")]


def test_a_status_is_added_and_taken_away_and_the_list_begins_anew():
    begun = asked(("status", "FAILURE"), ("cursor", "abc"))
    assert begun.toggled("status", "UNKNOWN") == "/?status=FAILURE&status=UNKNOWN"
    assert begun.toggled("status", "FAILURE") == "/"


def test_a_change_keeps_the_rest_of_the_address():
    begun = asked(("model", "ZZSIMUHUMA23"), ("cursor", "abc"), ("sort", "code"))
    assert begun.but(sort=None, hours="72") == "/?model=ZZSIMUHUMA23&hours=72"
    assert begun.without_filters == "/?sort=code"


def test_what_robots_sent_is_quoted_in_addresses():
    assert asked().but(software="1.0 & <b>") == "/?software=1.0+%26+%3Cb%3E"


def test_a_code_may_be_typed_as_people_write_it():
    assert asked(("text", "zz-simu-huma23")).wanted.text == "ZZSIMUHUMA23"


def test_several_statuses_are_asked_for():
    assert asked(("status", "FAILURE"), ("status", "UNKNOWN")).wanted.statuses == ("FAILURE", "UNKNOWN")


def test_a_status_that_is_none_is_refused_by_name():
    with pytest.raises(SettingError, match="status 'BROKEN': one of NORMAL"):
        _ = asked(("status", "BROKEN")).wanted


def test_a_choice_that_is_none_is_refused_by_name():
    with pytest.raises(SettingError, match="sort 'best': one of worst, code"):
        asked(("sort", "best")).choice("sort", ["worst", "code"], "worst")


def test_what_is_chosen_is_offered_although_no_robot_has_it_any_more():
    assert options([("2.0", 7)], "1.0") == {"1.0": 0, "2.0": 7}
    assert options([("2.0", 7)], "2.0") == {"2.0": 7}
