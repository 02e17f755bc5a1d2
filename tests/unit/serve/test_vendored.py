"""What others wrote and we serve is what they released, byte for byte."""

import hashlib

import pytest

from serve.files import STATIC

UPLOT = STATIC / "vendor" / "uplot"
RELEASED = {
    "LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    "uPlot.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uPlot.mjs": "5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba",
}


@pytest.mark.parametrize("name", sorted(RELEASED))
def test_a_vendored_file_is_as_it_was_released(name: str) -> None:
    assert hashlib.sha256((UPLOT / name).read_bytes()).hexdigest() == RELEASED[name]


def test_nothing_else_lies_beside_them() -> None:
    assert {path.name for path in UPLOT.iterdir()} == {*RELEASED, "README.md"}


def test_the_version_is_said() -> None:
    assert "uPlot 1.6.32" in (UPLOT / "README.md").read_text(encoding="utf-8")
