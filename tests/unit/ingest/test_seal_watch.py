"""A bad key for many robots shows; somebody who speaks for a robot that speaks for itself too does not."""

from ingest.batch import FrameContent, make_batch
from ingest.seal_watch import LOOK_OVER_S, OTHER, SealWatch
from schemas.keyring import EVERY_MAKER, Keyring, PolicyChange
from schemas.robot_code import make_code
from schemas.seal import derive_key
from schemas.topics import FRAMES
from support.frames import frame, record, sealed

MASTER = bytes(32)
ROBOTS = [make_code("ZZ", "TEST", "MODEL1", f"{i}") for i in range(5)]
INVENTED = [make_code("ZZ", f"{i:04}", "MODEL1", "1") for i in range(50)]


def _content(good: list[str], faulty: list[str], policy: str = "require") -> FrameContent:
    keyring = Keyring(MASTER)
    keyring.learn([PolicyChange(EVERY_MAKER, 0, policy)], [])
    records = [sealed(frame(robot_id=code), derive_key(MASTER, code, 1)) for code in good]
    records += [record(frame(robot_id=code)) for code in faulty]
    content = make_batch(FRAMES.name, records, {0: 0}, keyring).content
    assert isinstance(content, FrameContent)
    return content


def test_robots_without_any_good_seal_are_counted_by_their_maker():
    watch = SealWatch()
    watch.look(LOOK_OVER_S)
    watch.note(_content(ROBOTS[:3], ROBOTS[2:]), LOOK_OVER_S + 1)
    watch.look(2 * LOOK_OVER_S)
    assert watch.good == {"TEST": 3, OTHER: 0}
    assert watch.failing == {"TEST": 2, OTHER: 0}
    watch.look(3 * LOOK_OVER_S)
    assert watch.failing == {"TEST": 0, OTHER: 0}


def test_makers_that_somebody_invents_are_one_label():
    watch = SealWatch()
    watch.look(LOOK_OVER_S)
    watch.note(_content([], INVENTED), LOOK_OVER_S)
    watch.look(2 * LOOK_OVER_S)
    assert watch.failing == {OTHER: 50}


def test_robots_that_need_no_seal_yet_do_not_fail():
    watch = SealWatch()
    watch.look(LOOK_OVER_S)
    watch.note(_content([], ROBOTS, "warn"), LOOK_OVER_S)
    watch.look(2 * LOOK_OVER_S)
    assert watch.failing == {OTHER: 0}
