"""`status`, `logs`, `psql` and `doctor` as far as they need no server."""

import os
from pathlib import Path

import pytest

from deploy import checks, cli
from deploy.commands import logs, psql, status
from deploy.commands.status import Status
from deploy.local import children, control, state
from deploy.local.children import Identity
from deploy.local.state import Member, Stack
from schemas.kafka import Kafka


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROBOVITALS_HOME", str(tmp_path))
    monkeypatch.setenv("ROBOVITALS_CACHE", str(tmp_path / "cache"))
    for name in ("ROBOVITALS_KAFKA_BOOTSTRAP", "ROBOVITALS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def me() -> Identity:
    identity = children.identify(os.getpid())
    assert identity is not None
    return identity


def test_the_password_is_taken_out_of_the_arguments() -> None:
    assert psql._without_password("postgresql://u:s%40crt@h:5432/d?sslmode=require") == (
        "postgresql://u@h:5432/d?sslmode=require",
        "s@crt",
    )
    assert psql._without_password("postgresql://h/d") == ("postgresql://h/d", None)


def test_the_last_lines_of_a_log(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "logs").mkdir()
    (home / "logs" / "land.log").write_text("".join(f"{i}\n" for i in range(100)))
    assert cli.main(["logs", "land", "-n", "2"]) == 0
    assert capsys.readouterr().out == "98\n99\n"
    assert cli.main(["logs", "land", "-n", "0"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["nobody"], "there are land"), (["../land"], "no log"), (["land", "-n", "-1"], "--lines -1")],
)
def test_a_wrong_log_is_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    (home / "logs").mkdir()
    (home / "logs" / "land.log").write_text("")
    assert cli.main(["logs", *arguments]) == 2
    assert says in capsys.readouterr().err


def append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_following_goes_on_in_the_log_that_replaced_the_old_one(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = home / "land.log"
    log.write_text("old\n")
    events = iter(
        [
            lambda: append(log, "added\n"),
            lambda: (log.rename(home / "land.log.1"), log.write_text("new\n")),
            lambda: None,
        ]
    )

    def next_event(seconds: float) -> None:
        try:
            next(events)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(logs.time, "sleep", next_event)
    with log.open() as file, pytest.raises(KeyboardInterrupt):
        logs._follow(log, file)
    assert capsys.readouterr().out == "old\nadded\nnew\n"


def test_status_without_a_stack_names_the_next_command(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status"]) == 1
    assert capsys.readouterr().out == f"no stack is running in {home}: robovitals up\n"


def test_a_member_that_waits_for_its_restart_is_shown(home: Path) -> None:
    stack = Stack(me(), True, Kafka("k:1"), "postgresql://h/d", None, [Member("land", None, 3, -9, 8000)])
    (condition,) = control.look(stack)
    assert (condition.state, condition.pid, condition.not_ready) == ("restarting", None, "it does not run")
    report = Status(str(home), 7, False, [condition])
    assert "land         restarting         -         -        3        -9  it does not run" in status._lines(
        report
    )


def test_a_process_that_does_not_answer_is_not_ready(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    members = [Member("land", me(), 0, None, 1), Member("kafka", me(), 0, None, 1)]
    state.write(home, Stack(me(), True, Kafka("127.0.0.1:1"), "postgresql://127.0.0.1:1/d", None, members))
    assert cli.main(["status"]) == 1
    out = capsys.readouterr().out
    assert "/readyz does not answer" in out
    assert "port 1 does not answer" in out


def test_doctor_fails_and_names_the_next_command(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"FAIL  stack        not running in {home}  -> robovitals up --detach" in lines
    assert any(line.startswith("FAIL  download") for line in lines)
    assert any(line.startswith("OK    python") for line in lines)


def test_doctor_says_which_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = checks.importlib.util.find_spec
    monkeypatch.setattr(
        checks.importlib.util, "find_spec", lambda name: None if name in ("jgo", "psutil") else find_spec(name)
    )
    found = {check.name: check for check in checks.extras()}
    assert found["[pipeline]"].ok
    assert found["[local]"] == checks.Check(
        "[local]", False, "missing: jgo, psutil", "pip install 'robovitals[local]'"
    )


def test_a_stack_that_lets_in_anybody_is_not_secured_while_it_runs(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state.write(home, Stack(me(), True, Kafka("127.0.0.1:1"), "postgresql://127.0.0.1:1/d", None, []))
    assert cli.main(["up", "--secure"]) == 2
    assert "name another ROBOVITALS_HOME" in capsys.readouterr().err
    monkeypatch.setenv("ROBOVITALS_KAFKA_BOOTSTRAP", "k:1")
    assert cli.main(["up", "--secure"]) == 2
    assert "unset ROBOVITALS_KAFKA_BOOTSTRAP" in capsys.readouterr().err
