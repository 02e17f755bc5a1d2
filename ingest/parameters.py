"""Rows as parameters of a statement, and how many of them a statement has written. Called by the lander's SQL."""

from collections.abc import Sequence
from typing import Any


def transposed(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """A list a column, for `unnest`."""
    return [list(column) for column in zip(*rows, strict=True)]


def affected(status: str) -> int:
    """The count in a command's status: `INSERT 0 5`."""
    return int(status.rsplit(" ", 1)[-1])
