"""What every way of evaluating gives to the command. Made by the recordings and the rest, shown by
`deploy/commands/evaluate.py`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from rich.console import RenderableType

from deploy.evaluate.picture import LifePicture, Picture


class Outcome(NamedTuple):
    """A table for people, the same as JSON, and the plots that go with it."""

    shown: RenderableType
    figures: Any
    pictures: Sequence[Picture | LifePicture] = ()
