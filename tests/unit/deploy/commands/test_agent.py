"""`robovitals agent`: a file to begin with, and what status says where nothing runs."""

from pathlib import Path

import pytest

from deploy import cli
from support.frames import CODE


def test_init_writes_a_file_that_the_agent_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOVITALS_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    path = str(tmp_path / "robot.toml")
    assert cli.main(["agent", "init", "--robot", CODE, "--config", path]) == 0
    assert CODE in Path(path).read_text("utf-8")
    assert cli.main(["agent", "init", "--robot", CODE, "--config", path]) == 2
    assert "is there already" in capsys.readouterr().err
    assert cli.main(["agent", "status", "--config", path]) == 1
    assert "no agent has run here" in capsys.readouterr().err


def test_init_needs_a_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["agent", "init", "--config", str(tmp_path / "robot.toml")]) == 2
    assert "--robot CODE" in capsys.readouterr().err
