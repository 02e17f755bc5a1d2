"""Who dies is started again, after a pause that grows while it keeps dying. Time is the test's."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.supervisor import HEALTHY_AFTER_S, Supervised, next_pause_s
from schemas.errors import UnavailableError


class Fake:
    """A child that exits with `exits` at once, or waits for a signal."""

    name = "fake"
    port = 4711

    def __init__(self, tmp_path: Path) -> None:
        self.log = tmp_path / "fake.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.exits: int | None = None
        self.refuses = False
        self.launched = 0

    def launch(self) -> None:
        self.launched += 1
        if self.refuses:
            raise UnavailableError("not now")
        code = "import signal; signal.pause()" if self.exits is None else f"raise SystemExit({self.exits})"
        self.process = subprocess.Popen([sys.executable, "-S", "-c", code])
        if self.exits is not None:
            self.process.wait()

    def wait_until_up(self) -> None:
        pass

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    fake = Fake(tmp_path)
    yield fake
    fake.stop()


def test_the_pause_doubles_up_to_ten_seconds() -> None:
    pauses_s = [next_pause_s(None, 0.0)]
    while len(pauses_s) < 8:
        pauses_s.append(next_pause_s(pauses_s[-1], 1.0))
    assert pauses_s == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_a_healthy_minute_makes_the_pause_short_again() -> None:
    assert next_pause_s(10.0, HEALTHY_AFTER_S - 0.1) == 10.0
    assert next_pause_s(10.0, HEALTHY_AFTER_S) == 0.2


def test_who_runs_is_left_alone(fake: Fake) -> None:
    supervised = Supervised(fake, lambda: None)
    supervised.start(0.0)
    assert supervised.watch(1_000.0) == []
    member = supervised.member()
    assert member.identity is not None
    assert fake.process is not None
    assert (member.identity.pid, member.restarts, member.last_exit) == (fake.process.pid, 0, None)


def test_who_died_is_restarted_after_its_pause_and_not_before(fake: Fake) -> None:
    fake.exits = 3
    supervised = Supervised(fake, lambda: None)
    supervised.start(0.0)
    assert supervised.watch(1.0) == ["fake ended (exit code 3); restart in 0.2 s"]
    assert supervised.member().identity is None
    assert supervised.watch(1.1) == []
    fake.exits = None
    assert supervised.watch(1.3) == ["fake restarted"]
    member = supervised.member()
    assert (member.restarts, member.last_exit, member.port) == (1, 3, 4711)
    assert member.identity is not None


def test_a_restart_that_is_refused_is_tried_again_later(fake: Fake) -> None:
    fake.exits = 1
    supervised = Supervised(fake, lambda: None)
    supervised.start(0.0)
    supervised.watch(0.0)
    fake.refuses = True
    assert supervised.watch(0.25) == ["fake: not now; restart in 0.4 s"]
    assert supervised.watch(0.5) == []
    fake.refuses, fake.exits = False, None
    assert supervised.watch(0.7) == ["fake restarted"]
    assert fake.launched == 3


def test_what_a_signal_ended_says_so(fake: Fake) -> None:
    supervised = Supervised(fake, lambda: None)
    supervised.start(0.0)
    fake.stop()
    assert supervised.watch(1.0) == ["fake ended (signal 9); restart in 0.2 s"]


def test_the_id_is_known_before_the_child_is_waited_for(fake: Fake) -> None:
    seen: list[bool] = []
    supervised = Supervised(fake, lambda: seen.append(supervised.member().identity is not None))

    def crash_while_waiting() -> None:
        assert seen == [True]

    fake.wait_until_up = crash_while_waiting  # type: ignore[method-assign]
    supervised.start(0.0)
    assert seen == [True]
