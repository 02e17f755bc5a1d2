"""`down` beside a supervisor that `stack.json` does not name."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from deploy.local import children, control, state
from deploy.local.stack import only_supervisor
from deploy.local.state import Member, Stack
from deploy.local.steps import Steps
from deploy.settings import Settings, stack_file
from schemas.errors import UnavailableError


@pytest.fixture
def living() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"]) as process:
        yield process
        process.kill()


def left_behind(member: subprocess.Popen[bytes]) -> Stack:
    """The supervisor is gone, one of its children lives."""
    me = children.identify(os.getpid())
    assert me is not None
    gone = msgspec.structs.replace(me, start_ticks=me.start_ticks - 1)
    return Stack(gone, True, None, None, None, [Member("land", children.identify(member.pid), 0, None, 1)])


def stop(home: Path) -> bool:
    return control.stop(Settings(home, home, None, None), Steps(io.StringIO()))


def test_a_held_lock_keeps_the_stack_and_its_file(tmp_path: Path, living: subprocess.Popen[bytes]) -> None:
    state.write(tmp_path, left_behind(living))
    with only_supervisor(tmp_path), pytest.raises(UnavailableError, match="run `robovitals down` again"):
        stop(tmp_path)
    assert stack_file(tmp_path).exists()
    assert living.poll() is None


def test_without_a_supervisor_the_leftovers_are_ended(tmp_path: Path, living: subprocess.Popen[bytes]) -> None:
    state.write(tmp_path, left_behind(living))
    assert stop(tmp_path)
    assert not stack_file(tmp_path).exists()
    living.wait()


def test_a_supervisor_whose_file_cannot_be_read_is_not_denied(tmp_path: Path) -> None:
    stack_file(tmp_path).write_text("{")
    with only_supervisor(tmp_path), pytest.raises(UnavailableError):
        stop(tmp_path)


def test_where_nothing_ever_ran_nothing_is_made(tmp_path: Path) -> None:
    assert not stop(tmp_path / "home")
    assert not (tmp_path / "home").exists()
