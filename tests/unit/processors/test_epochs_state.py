"""What slow detectors remember: stored, restored, of another version, ahead of its shard."""

import numpy as np
import pytest

from processors import slow
from processors.shard import restore
from schemas.anomaly import Transition
from schemas.errors import ContractError
from support.assess import Readings, robot
from support.assessing import Assessed
from support.epochs import COMMISSIONING, DAY, ONE, copy_of, epoch, past_commissioning, readings


@pytest.fixture(scope="module")
def commissioned() -> Assessed:
    return past_commissioning()


def test_a_stored_and_restored_state_goes_on_as_it_would_have(commissioned: Assessed) -> None:
    shard = restore(commissioned.shard, slow.restore(commissioned.slow.values()))
    assert shard.slow is not None
    again = slow.restore(slow.snapshots(shard.slow).values())
    assert again is not None
    assert slow.snapshots(again) == slow.snapshots(shard.slow) == commissioned.slow


def test_an_epoch_that_was_judged_is_not_judged_again_after_a_restart(commissioned: Assessed) -> None:
    assessed = copy_of(commissioned)
    before = assessed.shard
    assessed.take(epoch({ONE: readings(np.random.default_rng(3))}, COMMISSIONING + 1))
    remembered = dict(assessed.slow)
    assessed.shard = before  # it was stopped after the slow state was written, before the shard's
    assessed.take(epoch({ONE: readings(np.random.default_rng(3))}, COMMISSIONING + 1))
    assert assessed.slow == remembered


def test_slow_state_of_another_version_is_not_misread(commissioned: Assessed) -> None:
    (packed,) = commissioned.slow.values()
    with pytest.raises(ContractError, match="version 2"):
        slow.restore([packed.replace(b"\x01", b"\x02", 1)])
    with pytest.raises(ContractError, match="cannot be read"):
        slow.restore([packed[:-1]])


def test_after_a_restart_reports_are_about_the_robots_that_they_are_about() -> None:
    """Of two robots of a shard the first one's state was written, the other's was not, before the shard was."""
    first, second = sorted([robot(1), robot(2)])
    written = slow._bucket(first.encode())
    assert slow._bucket(second.encode()) != written

    def run(interrupted: bool) -> list[tuple[str, str, Transition]]:
        assessed, rng = Assessed(), np.random.default_rng(3)
        for number in range(9 * DAY):
            spread = {first: 10.0, second: 40.0 if number > 8 * DAY else 10.0}
            cells: dict[str, Readings] = {
                code: {"battery_cell_spread_mv": spread[code] + rng.normal()} for code in (first, second)
            }
            shard, buckets = assessed.shard, dict(assessed.slow)
            assessed.take(epoch(cells, number))
            if interrupted and number % DAY == 100:
                assessed.shard, assessed.slow = shard, buckets | {written: assessed.slow[written]}
                assessed.take(epoch(cells, number))
        return [(a.robot_id, a.rule, a.transition) for a in assessed.anomalies]

    assert run(interrupted=True) == run(interrupted=False)
    assert {code for code, _, _ in run(interrupted=False)} == {second}


def test_slow_state_that_is_ahead_of_its_shard_in_robots_and_tracks_is_gone_on_from() -> None:
    """Two layouts' windows of one batch; it was stopped after the slow state was written, before the shard's."""
    first, second, last = sorted([robot(1), robot(2), robot(3)])
    rng = np.random.default_rng(1)
    assessed = Assessed()
    for number in range(3):
        warm: Readings = {"battery_temperature_c": 30 + rng.normal()}
        assessed.take(epoch({first: readings(rng)}, number), epoch({second: warm}, number))
    more: Readings = {"battery_temperature_c": 30.0, "battery_resistance_mohm": 50.0}
    batch = epoch({first: readings(rng)}, 3), epoch({second: more, last: more}, 3)
    before = assessed.shard
    remembered = dict(assessed.take(*batch).slow)
    assessed.shard = before
    assessed.take(*batch)
    assert assessed.slow == remembered


def test_only_what_has_changed_is_written() -> None:
    robots = [robot(number) for number in range(1, 30)]
    assessed = Assessed()
    for number in range(2):
        assessed.take(epoch({code: {"joint_current_a": [1.0]} for code in sorted(robots)}, number))
    before = slow.restore(assessed.slow.values())
    assessed.take(epoch({robots[0]: {"joint_current_a": [1.0]}}, 2))
    after = slow.restore(assessed.slow.values())
    assert before is not None
    assert after is not None
    assert list(slow.snapshots(after, before)) == [slow._bucket(robots[0].encode())]
    assert slow.snapshots(after, after) == {}
