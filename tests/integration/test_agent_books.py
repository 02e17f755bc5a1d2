"""Agents broken on purpose: a robot's frames are rows, rejects, in its spool or reported dropped, to the unit.

Of an agent made wrong on purpose they are not.
"""

from pathlib import Path

import pytest
from faults.agent_child import UNCOUNTED, UNSENT
from faults.agent_robot import KINDS
from faults.agents import balanced

from deploy.local.servers import Servers

SEED = 20_261_124
# Of each mutant the robot that it shows at.
SHOWS_AT = {UNCOUNTED: "small spool", UNSENT: "undisturbed"}


async def test_what_agents_took_is_landed_rejected_spooled_or_reported_as_dropped_to_the_unit(
    tmp_path: Path, servers: Servers
) -> None:
    books = {book.name: book for book in await balanced(servers, tmp_path, SEED)}
    assert [fault for book in books.values() for fault in book.wrong] == [], f"seed {SEED}"
    # Each fault was one.
    assert all(books[kind.name].kills for kind in KINDS if kind.killed)
    assert {name for name, book in books.items() if book.rejected} == {kind.name for kind in KINDS if kind.bad}
    assert {name for name, book in books.items() if book.reported} == {kind.name for kind in KINDS if kind.small}
    assert {name for name, book in books.items() if book.spooled} == {kind.name for kind in KINDS if kind.shut_in}
    assert {name for name, book in books.items() if book.was_full} == {kind.name for kind in KINDS if kind.full}
    cutting = {kind.name for kind in KINDS if kind.network in ("resets", "half open")}
    cut = {name for name, book in books.items() if book.cut}
    assert cutting <= cut <= {kind.name for kind in KINDS if kind.network}  # who hears no answer may go too
    boots = {name: {entry.boot_id for entry in book.taken} for name, book in books.items()}
    assert all(len(boots[kind.name]) > 1 for kind in KINDS if kind.jumps)
    # The broker took frames whose answers were lost: they came again, and landed once.
    deaf = books["answers lost"]
    assert deaf.records > len(deaf.rows)


@pytest.mark.parametrize("mutant", [UNCOUNTED, UNSENT])
async def test_an_agent_that_is_made_wrong_turns_the_books_red(
    tmp_path: Path, servers: Servers, mutant: str
) -> None:
    kinds = [kind for kind in KINDS if kind.name == SHOWS_AT[mutant]]
    (book,) = await balanced(servers, tmp_path, SEED, mutant, kinds)
    assert book.balance > 0
