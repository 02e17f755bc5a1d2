"""The plot of an evaluated series."""

from pathlib import Path

import numpy as np
import pytest

from deploy.evaluate.picture import LifePicture, Picture
from deploy.evaluate.plot import draw

MOST_BYTES = 200_000


def picture() -> Picture:
    rows = 5000
    rng = np.random.default_rng(1)
    labels = np.zeros(rows, np.int8)
    labels[3000:3200] = 1
    labels[:10] = -1
    return Picture(
        name="press-1",
        title="press 1",
        seconds=np.arange(rows, dtype=np.float64),
        signal=rng.normal(size=rows).astype(np.float32),
        signal_name="current, A",
        score=rng.random(rows).astype(np.float32),
        flag=labels == 1,
        labels=labels,
        label_name="broken",
        train_s=100.0,
    )


def test_a_picture_is_a_small_png_and_the_same_each_time(tmp_path: Path) -> None:
    path = draw(picture(), tmp_path / "plots")
    assert path == tmp_path / "plots" / "press-1.png"
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) < MOST_BYTES
    assert draw(picture(), tmp_path / "again").read_bytes() == content


@pytest.mark.parametrize("end", [120, None])
def test_a_life_is_drawn_whether_it_has_ended_or_not(tmp_path: Path, end: int | None) -> None:
    cycles = np.arange(160, dtype=np.float64)
    left = np.where(cycles < 20, np.nan, 120 - cycles)
    life = LifePicture(
        name="cell",
        title="a cell",
        capacity_ah=2 - cycles * 0.005,
        end_of_life_ah=1.4,
        remaining=left,
        low=left * 0.5,
        high=np.where(cycles < 40, np.inf, left * 2),
        end=end,
    )
    assert draw(life, tmp_path).read_bytes().startswith(b"\x89PNG")
