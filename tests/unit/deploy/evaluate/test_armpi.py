"""The ArmPi recording: a small one made by hand."""

from pathlib import Path

import pytest

from deploy.evaluate import armpi
from schemas.errors import UnavailableError
from support.recorded import recording

ROWS = 320
REAL = ("20240425_093699", "20240425_094425", "20240426_140055", "20240503_163963")
GOAL = 0.5
ONSET, END = 200, 240


def temperatures(faulty: bool) -> list[str]:
    """24 or 25 °C; in the faulty one two degrees more a row from two rows after the onset, and back in time."""
    heated = {ONSET + 2 + n: 25 + 2 * min(n + 1, 5) for n in range(30)} if faulty else {}
    return ["255" if n == 150 else str(heated.get(n, 25 - (n // 7 % 3 == 0))) for n in range(ROWS)]


def write(folder: Path, session: str, motor: int, faulty: bool) -> None:
    path = folder / "sessions" / session / f"data_motor_{motor}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        f"{n / 10},500,{temperature},7300,{int(faulty and ONSET <= n < END)}"
        for n, temperature in enumerate(temperatures(faulty))
    ]
    path.write_text("time, position, temperature, voltage, label\n" + "\n".join(rows) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for motor in range(1, armpi.MOTORS + 1):
        write(tmp_path, "20240101_000000", motor, faulty=motor == 6)
        write(tmp_path, "20240102_000000", motor, faulty=False)
    return tmp_path


def test_a_fault_is_found_and_the_healthy_are_left_alone(folder: Path) -> None:
    progress: list[tuple[int, int]] = []
    result = armpi.run(folder, lambda done, whole: progress.append((done, whole)))
    assert progress[-1] == (12, 12)
    assert (len(result.faulty.found), len(result.faulty.episodes)) == (1, 1)
    assert result.faulty.f1 is not None
    assert result.faulty.f1 > 0.7
    # One servo's healthy rows after the ten seconds of each of two sessions, and those of five others.
    assert result.all.rows == 12 * (ROWS - armpi.TRAIN_ROWS)
    assert result.faulty.rows == 6 * (ROWS - armpi.TRAIN_ROWS)
    assert result.sessions["20240102_000000"].false_episodes == 0


def test_what_the_labels_allow_follows_from_what_the_thermometer_shows(folder: Path) -> None:
    result = armpi.run(folder, lambda done, whole: None)
    assert result.blind == pytest.approx(2 / (END - ONSET))
    assert result.most_f1 == pytest.approx(2 * 38 / (38 + 40))
    assert result.shows == pytest.approx(30 / (END - ONSET))
    assert result.shown_f1 == pytest.approx(2 * 30 / (30 + 40))
    assert result.fixed_f1 == pytest.approx(2 * 30 / (30 + 40))


def test_only_a_faulty_series_is_drawn(folder: Path) -> None:
    result = armpi.run(folder, lambda done, whole: None)
    assert [picture.name for picture in result.pictures] == ["armpi-20240101_000000-6"]


def test_the_four_real_sessions_with_faults_reach_the_goal(tmp_path: Path) -> None:
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    for name in REAL:
        (sessions / name).symlink_to(recording("armpi") / "sessions" / name)
    result = armpi.run(tmp_path, lambda done, whole: None)
    assert (len(result.faulty.found), len(result.faulty.episodes)) == (9, 9)
    assert result.faulty.true_positive + result.faulty.false_negative == 1042
    assert result.faulty.f1 is not None
    assert result.faulty.f1 >= GOAL


def test_another_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"has no sessions/\*/data_motor_1.csv"):
        armpi.run(tmp_path, lambda done, whole: None)
