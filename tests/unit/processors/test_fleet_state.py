"""The grouping's state: stored and read back, and what has changed in between."""

import pytest

from processors.fleet_state import Fleet, Head, pack, unpack
from processors.load import Load
from schemas.anomaly import Transition
from schemas.errors import ContractError
from support.flood import Played, opened, then


def test_what_is_stored_is_what_is_read() -> None:
    played = Played()
    played.at(0, *(opened(number) for number in range(12)))
    for key, entry in played.fleet.changes().items():
        assert entry is not None
        assert unpack(key, pack(entry)) == entry
    head = Head(positions={"fleet.anomalies/0": 5, "fleet.actions/7": 3}, parents=2, load=Load((1, 2), True, 9, 12))
    assert unpack("head", pack(head)) == head


def test_only_what_has_changed_is_stored_again_and_what_is_gone_is_none() -> None:
    played = Played()
    played.at(0, opened(1), opened(2))
    assert len(played.fleet.changes()) == 2
    played.at(20, then(opened(1), Transition.CLEARED))
    key = f"m/{opened(1).episode_id}"
    assert key in played.fleet.changes()
    assert played.fleet.changes() == {}
    played.at(4000)
    assert played.fleet.changes() == {key: None}
    assert played.fleet.closed == {}


def test_indexes_are_empty_when_all_is_over() -> None:
    played = Played()
    hot = [opened(number) for number in range(12)]
    played.at(0, *hot)
    played.at(60, *(then(a, Transition.CLEARED, number=3) for a in hot))
    played.at(9 * 24 * 3600)
    fleet = played.fleet
    assert (fleet.members, fleet.parents, fleet.calls, fleet.closed) == ({}, {}, {}, {})
    assert not any(fleet.speaking.values())
    assert not fleet.joined
    assert not fleet.robots


@pytest.mark.parametrize(("key", "packed"), [("head", pack(Head(v=9))), ("m/x", b"\xc1"), ("?/x", b"\x90")])
def test_what_it_cannot_read_is_never_misread(key: str, packed: bytes) -> None:
    with pytest.raises(ContractError):
        Fleet([unpack(key, packed)])
