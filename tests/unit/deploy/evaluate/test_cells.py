"""Cells as readings and labels."""

import math

import pytest

from deploy.evaluate.cells import Numbers, read_labels


@pytest.mark.parametrize(
    ("text", "decimal_comma", "value"),
    [
        ("1.5", False, 1.5),
        (" -3e2 ", False, -300.0),
        ("1,234.5", False, 1234.5),
        ("1,5", True, 1.5),
        ("-0,25", True, -0.25),
        ("1.234,5", True, 1234.5),
        ("1.5", True, 1.5),
    ],
)
def test_a_number_is_read_as_it_is_written(text: str, decimal_comma: bool, value: float) -> None:
    assert Numbers(decimal_comma).read([text], 2).tolist() == [value]


@pytest.mark.parametrize("text", ["", " ", "NaN", "nan", "NA", "n/a", "null", "-", "inf", "-inf", "1e999"])
def test_what_is_blank_or_infinite_is_absent_without_a_remark(text: str) -> None:
    numbers = Numbers(False)
    assert math.isnan(numbers.read([text], 2)[0])
    assert numbers.refused == 0


@pytest.mark.parametrize("text", ["hot", "1,5", "1,234", "12 %", "1.2.3"])
def test_what_is_no_number_is_absent_and_said_with_its_line(text: str) -> None:
    numbers = Numbers(False)
    assert numbers.read(["1", text, "2", text], 10)[[0, 2]].tolist() == [1, 2]
    assert numbers.refused == 2
    assert numbers.first_refused == (11, text)


def test_labels_are_zero_one_or_nothing() -> None:
    texts = ["0", "1", "0.0", "1.0", "true", "False", "TRUE", " 1 ", "", "nan"]
    assert read_labels(texts).tolist() == [0, 1, 0, 1, 1, 0, 1, 1, -1, -1]


@pytest.mark.parametrize("text", ["2", "fault", "-1", "0.5"])
def test_another_label_is_an_error(text: str) -> None:
    with pytest.raises(KeyError, match=text):
        read_labels(["0", text])
