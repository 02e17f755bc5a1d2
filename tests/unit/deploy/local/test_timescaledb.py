"""What the database's directory remembers, as far as it needs no database."""

from pathlib import Path

import pytest

from deploy.local.timescaledb import DatabaseServer
from schemas.errors import UnavailableError


def test_the_password_stays_between_runs(tmp_path: Path) -> None:
    password = DatabaseServer(tmp_path, tmp_path)._keep().password
    (tmp_path / "timescaledb" / "data").mkdir()
    assert DatabaseServer(tmp_path, tmp_path)._keep().password == password


@pytest.mark.parametrize("content", [None, ""])
def test_a_database_whose_password_is_lost_gets_no_new_one(tmp_path: Path, content: str | None) -> None:
    data, kept_file = tmp_path / "timescaledb" / "data", tmp_path / "timescaledb" / "kept.json"
    data.mkdir(parents=True)
    if content is not None:
        kept_file.write_text(content)
    with pytest.raises(UnavailableError) as raised:
        _ = DatabaseServer(tmp_path, tmp_path).port
    said = str(raised.value)
    assert f"{kept_file} is missing or unreadable" in said
    assert "password" in said
    assert f"move {data} away" in said
    assert "\n" not in said
    assert kept_file.exists() == (content is not None)
