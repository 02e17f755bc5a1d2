"""What waits in memory is bounded."""

from ingest.agent.record import Spooled
from ingest.agent.waiting import Waiting


def _add(waiting: Waiting, number: int, length: int = 10, held: tuple[int, ...] = ()) -> int:
    return waiting.add(Spooled(number, 1, number, number, b"x" * length), held)


def test_beyond_its_bytes_the_oldest_go() -> None:
    waiting = Waiting(30)
    assert [_add(waiting, number) for number in range(1, 6)] == [0, 0, 0, 1, 1]
    assert [frame.id for frame in waiting] == [3, 4, 5]
    assert waiting.used == 1.0


def test_what_somebody_holds_stays() -> None:
    waiting = Waiting(30)
    assert sum(_add(waiting, number, held=(1, 2)) for number in range(1, 6)) == 2
    assert [frame.id for frame in waiting] == [1, 2, 5]


def test_a_frame_larger_than_all_room_stays_alone() -> None:
    waiting = Waiting(30)
    _add(waiting, 1)
    assert _add(waiting, 2, 100) == 1
    assert [frame.id for frame in waiting] == [2]


def test_what_is_removed_makes_room() -> None:
    waiting = Waiting(30)
    for number in (1, 2, 3):
        _add(waiting, number)
    assert waiting.remove(2)
    assert not waiting.remove(2)
    assert _add(waiting, 4) == 0
