"""What the system says of its clock."""

import sys

import pytest

from ingest.agent import ntp


def test_linux_says_yes_or_no_or_forbids_the_question() -> None:
    assert ntp.ntp_synchronised() in ((True, False, None) if sys.platform == "linux" else (None,))


def test_a_clock_in_error_or_unsynchronised_is_not_synchronised() -> None:
    assert ntp.judged(0, 0) is True
    assert ntp.judged(5, 0) is False
    assert ntp.judged(0, 0x40) is False
    assert ntp.judged(-1, 0) is None


def test_elsewhere_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert ntp.ntp_synchronised() is None
