"""Which faults open an incident."""

from processors.incident.opening import A_DAY, FLEET_AN_HOUR, Lately, id_of, refusal

QUIET = Lately(0, 0, 0)


def test_a_fault_opens_one_and_its_frame_has_one_id_however_often_it_is_found():
    assert refusal(QUIET) == ""
    assert id_of("A", 7, 3) == id_of("A", 7, 3)
    assert len({id_of("A", 7, 3), id_of("B", 7, 3), id_of("A", 8, 3), id_of("A", 7, 4), id_of("A", 73, 3)}) == 5


def test_a_fault_that_flaps_opens_few():
    assert refusal(Lately(1, 0, 0))
    assert refusal(Lately(0, A_DAY, 0))
    assert not refusal(Lately(0, A_DAY - 1, 0))


def test_a_release_that_stops_a_fleet_does_not_fill_the_disk():
    assert refusal(Lately(0, 0, FLEET_AN_HOUR))
