"""What `ledger` and `verify` refuse before they touch a server, in one line that names the option."""

from pathlib import Path

import pytest

from deploy.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ledger", "--book", "b.db", "--robots", "3"], "at least 10 robots"),
        (["ledger", "--book", "b.db", "--rate", "5"], "a frame a second or more"),
        (["verify", "--book", "none.db"], "robovitals ledger --book none.db"),
        (["verify", "--book", "none.db", "--patience", "-1"], "--patience -1: give seconds"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) != 0
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
    assert not (tmp_path / "b.db").exists()
