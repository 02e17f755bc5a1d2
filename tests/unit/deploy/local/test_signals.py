"""A wish to stop is noted at once, and raised only where nothing is lost by it."""

import signal
from collections.abc import Iterator

import pytest

from deploy.local.signals import STOP_SIGNALS, Stopped, StopSignals


@pytest.fixture(autouse=True)
def _not_under_nohup() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_waits_for_the_next_look(number: signal.Signals) -> None:
    signals = StopSignals()
    with signals.watched():
        signals.check()
        signal.raise_signal(number)
        with pytest.raises(Stopped):
            signals.check()


def test_an_interruptible_step_is_broken_off() -> None:
    signals = StopSignals()
    with signals.watched(), pytest.raises(Stopped), signals.interruptible():
        signal.raise_signal(signal.SIGTERM)


def test_the_second_signal_does_not_break_off_the_stopping() -> None:
    signals = StopSignals()
    with signals.watched():
        with pytest.raises(Stopped), signals.interruptible():
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_an_interruptible_step_does_not_begin_after_the_signal() -> None:
    signals = StopSignals()
    with signals.watched():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Stopped), signals.interruptible():
            pytest.fail("the step began")


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        signals = StopSignals()
        with signals.watched():
            signal.raise_signal(signal.SIGHUP)
            signals.check()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_handlers_are_given_back() -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    with StopSignals().watched():
        assert [signal.getsignal(number) for number in STOP_SIGNALS] != before
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before
