"""Starting, recognising and ending real processes of the operating system."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from deploy.local import children
from deploy.local.children import Identity, Signalled

STUBBORN = (
    "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
)
GENTLE = "import signal; print('ready', flush=True); signal.pause()"


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(started: list[subprocess.Popen[str]], code: str) -> tuple[subprocess.Popen[str], Identity]:
    process = subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, text=True)
    started.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    identity = children.identify(process.pid)
    assert identity is not None
    return process, identity


def test_a_child_writes_to_its_log_and_runs_in_its_directory(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-S",
        "-c",
        "import os, sys; print(os.getcwd(), os.environ['A'], flush=True); sys.exit('bad')",
    ]
    log = tmp_path / "logs" / "x.log"
    assert children.spawn(command, log, tmp_path, {"A": "b"}).wait() == 1
    assert log.read_text() == f"{tmp_path} b\nbad\n"


def test_a_process_is_recognised_by_id_and_beginning(started: list[subprocess.Popen[str]]) -> None:
    _, identity = start(started, GENTLE)
    assert children.is_alive(identity)
    assert not children.is_alive(msgspec.structs.replace(identity, start_ticks=identity.start_ticks - 1))


def test_an_identity_of_another_boot_is_never_alive(started: list[subprocess.Popen[str]]) -> None:
    _, identity = start(started, GENTLE)
    assert not children.is_alive(msgspec.structs.replace(identity, boot="another"))


def test_setting_the_clock_changes_no_identity(
    started: list[subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, identity = start(started, GENTLE)
    # Setting the clock moves the moment of the boot, from which psutil reckons when a process was created.
    booted_s = psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.BOOT_TIME", booted_s + 3_600.0, raising=False)
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted_s + 3_600.0)
    assert children.is_alive(identity)


def test_no_name_of_a_process_hides_its_beginning(started: list[subprocess.Popen[str]]) -> None:
    _, plain = start(started, GENTLE)
    _, named = start(started, f"open('/proc/self/comm', 'w').write('a) Z (b 1 2'); {GENTLE}")
    assert named.boot == plain.boot
    assert named.start_ticks >= plain.start_ticks


def test_the_uptime_counts_from_the_beginning() -> None:
    me = children.identify(os.getpid())
    assert me is not None
    since_boot_s = children.uptime_s(msgspec.structs.replace(me, start_ticks=0))
    assert 0.0 < since_boot_s <= float(Path("/proc/uptime").read_text().split()[0])
    assert 0.0 <= children.uptime_s(me) < children.uptime_s(msgspec.structs.replace(me, start_ticks=0))


def test_only_the_very_process_is_ended(started: list[subprocess.Popen[str]]) -> None:
    process, identity = start(started, GENTLE)
    stranger = msgspec.structs.replace(identity, start_ticks=identity.start_ticks - 1)
    gently = (Signalled(signal.SIGTERM, 30.0),)
    assert not children.end_by_identity(stranger, gently)
    assert process.poll() is None
    assert children.end_by_identity(identity, gently)
    assert process.wait() == -signal.SIGTERM
    assert not children.end_by_identity(identity, gently)


def test_who_ignores_the_gentle_signal_is_killed(started: list[subprocess.Popen[str]]) -> None:
    process, identity = start(started, STUBBORN)
    assert children.end_by_identity(identity, (Signalled(signal.SIGTERM, 0.05),))
    assert process.wait() == -signal.SIGKILL


def test_a_dead_process_that_nobody_has_asked_for_counts_as_gone(started: list[subprocess.Popen[str]]) -> None:
    process, identity = start(started, GENTLE)
    process.send_signal(signal.SIGKILL)
    assert children.wait_until_gone(identity, 30.0)
    assert process.returncode is None


def test_a_child_of_ours_is_stopped_and_its_exit_code_kept(tmp_path: Path) -> None:
    code = f"import signal; signal.signal(signal.SIGTERM, lambda *_: exit(5)); {GENTLE}"
    log = tmp_path / "x.log"
    process = children.spawn([sys.executable, "-c", code], log, tmp_path, {})
    while "ready" not in log.read_text():
        assert process.poll() is None
    children.stop(process, (Signalled(signal.SIGTERM, 30.0),))
    assert process.returncode == 5


def test_a_large_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"a" * (children.LOG_KEEP_BYTES + 1))
    children.rotate(log)
    assert not log.exists()
    log.write_text("new")
    children.rotate(log)
    assert log.read_text() == "new"
    assert (tmp_path / "x.log.1").stat().st_size > children.LOG_KEEP_BYTES


def test_the_last_words_prefer_an_error(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("hello\n12:00 FATAL:  could not bind\nshutting down\n\n")
    assert children.last_words(log) == f"12:00 FATAL:  could not bind (see {log})"
    assert children.last_words(tmp_path / "none.log").startswith("it said nothing")
