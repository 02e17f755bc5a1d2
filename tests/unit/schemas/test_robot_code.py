"""The robot code: parsed, formatted, refused with the reason, made with a check character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from schemas.errors import SettingError
from schemas.robot_code import (
    RobotCodeParts,
    checked_code,
    format_code,
    has_check_character,
    is_code,
    make_code,
    parse_code,
)

CODE = "CN01ABHUMAN10000000000000042X"


def test_a_code_splits_into_country_enterprise_model_and_serial():
    assert parse_code(CODE) == RobotCodeParts("CN", "01AB", "HUMAN1", "0000000000000042X")


def test_a_code_for_people_has_hyphens_and_reads_back():
    assert format_code(checked_code(CODE)) == "CN-01AB-HUMAN1-0000000000000042X"
    assert checked_code(f" {format_code(checked_code(CODE))} ") == CODE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CODE[:-1], "has 28 characters"),
        (CODE + "0", "has 30 characters"),
        ("", "has 0 characters"),
        (CODE.lower(), "character 1 is 'c'"),
        (CODE[:7] + "-" + CODE[8:], "character 8 is '-'"),
        (CODE[:7] + "É" + CODE[8:], "character 8 is 'É'"),
        ("1" + CODE[1:], "must begin with two letters"),
        (CODE[:-1] + "\n", "character 29"),
    ],
)
def test_a_wrong_code_is_refused_with_what_is_wrong(text, said):
    assert not is_code(text)
    with pytest.raises(SettingError, match="robot code") as caught:
        parse_code(text)
    assert said in str(caught.value)


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=16))
def test_a_code_of_our_making_is_well_formed_and_carries_its_check(serial):
    code = make_code("ZZ", "SIM0", "MODEL1", serial)
    assert is_code(code)
    assert has_check_character(code)
    assert mod_37_36.calc_check_digit(code[:-1]) == code[-1]


def test_a_foreign_code_is_not_refused_for_its_last_character():
    assert not has_check_character(checked_code(CODE))
    assert is_code(CODE)


def test_a_swapped_character_is_noticed_in_a_code_of_our_making():
    code = make_code("ZZ", "SIM0", "MODEL1", "12")
    swapped = code[:-3] + code[-2] + code[-3] + code[-1]
    assert not has_check_character(checked_code(swapped))
