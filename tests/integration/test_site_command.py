"""`robovitals site` on a real database."""

from pathlib import Path

import pytest

from deploy import cli
from schemas.robot_code import make_code

ONE, TWO = (make_code("ZZ", "TEST", "MODEL1", str(number)) for number in (1, 2))


@pytest.fixture(autouse=True)
def at_the_database(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("ROBOVITALS_DATABASE_URL", database_url)
    monkeypatch.setenv("ROBOVITALS_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("ROBOVITALS_HOME", str(tmp_path))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert cli.main(["site", *arguments]) == 0
    return [" ".join(line.split()[:3]) for line in capsys.readouterr().out.splitlines()]


def test_robots_are_placed_moved_and_taken_away(capsys: pytest.CaptureFixture[str]):
    assert said(capsys, "set", "Berlin", ONE, TWO, TWO) == ["Berlin 2 robots,"]
    assert said(capsys, "set", "Graz", TWO) == ["Berlin 1 robots,", "Graz 1 robots,"]
    assert said(capsys, "clear", ONE) == ["Graz 1 robots,"]
    assert cli.main(["site", "clear", ONE]) == 2
    assert "none of these robots" in capsys.readouterr().err


def test_a_csv_places_all_of_its_robots_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "robots.csv"
    path.write_text(f"robot_id,owner,site\n{ONE},somebody,Berlin\n{TWO},somebody,\n", encoding="utf-8")
    assert cli.main(["site", "import", str(path)]) == 2
    assert "line 3: '' is no name of a site" in capsys.readouterr().err
    assert said(capsys, "list") == ["no site: robovitals"]
    path.write_text(f"\ufeffsite,robot_id\nBerlin,{ONE}\n Graz ,{TWO}\n", encoding="utf-8")
    assert said(capsys, "import", str(path)) == ["Berlin 1 robots,", "Graz 1 robots,"]
