"""How far a command has come, for whoever watches.

In: a word that says what is being done. Out: a bar on the terminal, which is told what is done and of how much.
Called by `robovitals audit` and `robovitals evaluate`, whose ways of evaluating tell it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console

Progress = Callable[[int, int], None]
"""Done, and in all."""


@contextmanager
def bar(word: str) -> Iterator[Progress]:
    """Nothing where nobody watches."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, whole: None
        return
    columns = (bars.TextColumn(word), bars.BarColumn(), bars.TaskProgressColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda done, whole: shown.update(task, completed=done, total=whole)
