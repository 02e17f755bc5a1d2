"""The cells of a file, column by column: readings and labels.

In: texts. Out: arrays. Called by `deploy/evaluate/table.py`. A reading that is no number is absent; a label that is
none is an error, since nobody can be judged by it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

UNLABELLED = -1
LABELS = {
    **dict.fromkeys(("0", "0.0", "0.", "false", "f", "no"), 0),
    **dict.fromkeys(("1", "1.0", "1.", "true", "t", "yes"), 1),
    **dict.fromkeys(("", "nan", "na", "n/a", "null", "none"), UNLABELLED),
}
# What people write for nothing: not worth a remark, unlike a word.
BLANKS = frozenset(("", "nan", "na", "n/a", "null", "none", "-"))


class Numbers:
    """Reads a column's texts as readings; counts those that are neither blank nor a number."""

    def __init__(self, decimal_comma: bool) -> None:
        self._decimal_comma = decimal_comma
        self.refused = 0
        self.first_refused: tuple[int, str] | None = None

    def read(self, texts: Sequence[str], first_line: int) -> NDArray[np.float64]:
        """Readings; NaN for what is absent, not a number, or infinite."""
        try:
            values = np.array([float(text) for text in texts], np.float64)
        except ValueError:
            values = np.array([self._one(text, first_line + at) for at, text in enumerate(texts)], np.float64)
        values[np.isinf(values)] = np.nan
        return values

    def _one(self, text: str, line: int) -> float:
        text = text.strip()
        try:
            return float(text)
        except ValueError:
            pass
        if text.lower() in BLANKS:
            return np.nan
        try:
            return float(self._plain(text))
        except ValueError:
            self.refused += 1
            self.first_refused = self.first_refused or (line, text)
            return np.nan

    def _plain(self, text: str) -> str:
        """A number as Python writes it. Raises ValueError for what is none, or could be two."""
        comma, point = text.rfind(","), text.rfind(".")
        if 0 <= comma < point:
            return text.replace(",", "")  # 1,234.5
        if self._decimal_comma and text.count(",") == 1:
            return text.replace(".", "").replace(",", ".")  # 1.234,5
        raise ValueError(text)


def read_labels(texts: Sequence[str]) -> NDArray[np.int8]:
    """0, 1, or UNLABELLED where the cell is blank. Raises KeyError of the first text that is no label."""
    try:
        return np.array([LABELS[text] for text in texts], np.int8)
    except KeyError:
        return np.array([LABELS[text.strip().lower()] for text in texts], np.int8)
