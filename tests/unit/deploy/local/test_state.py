"""`stack.json`: what the supervisor writes, others read."""

import os
from pathlib import Path

from deploy.local import children, state
from deploy.local.children import Identity
from deploy.local.state import Member, Stack
from deploy.settings import Endpoints, Settings, endpoints, stack_file
from schemas.kafka import Kafka


def stack(supervisor: Identity) -> Stack:
    members = [Member("kafka", Identity(2, "boot", 1), 0, None, 9092), Member("land", None, 3, -9, 8000)]
    return Stack(supervisor, True, Kafka("127.0.0.1:9092"), "postgresql://u:secret@h/d", None, members)


def test_what_was_written_is_read_and_only_by_its_owner(tmp_path: Path) -> None:
    written = stack(Identity(1, "boot", 2))
    state.write(tmp_path, written)
    state.write(tmp_path, written)
    assert state.read(tmp_path) == written
    assert stack_file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_clients_find_the_endpoints_in_it(tmp_path: Path) -> None:
    state.write(tmp_path, stack(Identity(1, "boot", 2)))
    settings = Settings(tmp_path, tmp_path, None, None)
    assert endpoints(settings) == Endpoints(Kafka("127.0.0.1:9092"), "postgresql://u:secret@h/d")


def test_a_stack_runs_only_while_its_supervisor_lives(tmp_path: Path) -> None:
    me = children.identify(os.getpid())
    assert me is not None
    state.write(tmp_path, stack(me))
    assert state.running(tmp_path) is not None
    state.write(tmp_path, stack(Identity(me.pid, me.boot, me.start_ticks - 1)))
    assert state.running(tmp_path) is None


def test_a_damaged_file_counts_as_none(tmp_path: Path) -> None:
    assert state.read(tmp_path) is None
    stack_file(tmp_path).write_text("{")
    assert state.read(tmp_path) is None
    state.remove(tmp_path)
    state.remove(tmp_path)
    assert not stack_file(tmp_path).exists()
