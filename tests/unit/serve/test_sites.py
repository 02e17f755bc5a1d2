"""Where robots are, as a CSV file says it."""

import pytest

from schemas.errors import SettingError
from schemas.robot_code import make_code
from serve.sites import Placing, checked_site, read_placings

ONE, TWO = (make_code("ZZ", "TEST", "MODEL1", str(number)) for number in (1, 2))


def test_columns_may_stand_in_any_order_and_the_last_word_on_a_robot_counts():
    lines = ["site,note,robot_id", f"Berlin,a,{ONE}", f'"Graz, hall 2",b,{TWO}', f"Linz,c,{ONE}"]
    assert read_placings(lines) == [Placing(ONE, "Linz"), Placing(TWO, "Graz, hall 2")]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([], "no column robot_id, site"),
        (["robot_id,place"], "no column site"),
        (["robot_id,site", "ZZ,Berlin"], "line 2: robot code 'ZZ' has 2 characters"),
        (["robot_id,site", ONE], "line 2: '' is no name"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(lines: list[str], text: str):
    with pytest.raises(SettingError, match=text):
        read_placings(lines)


@pytest.mark.parametrize("text", ["", "  ", "a\tb", "x" * 61])
def test_what_is_no_name_is_no_site(text: str):
    with pytest.raises(SettingError, match="no name of a site"):
        checked_site(text)
