"""The evaluation of findings: what counts as found, what as false, and what it writes."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from deploy.commands.evaluate import between_marks
from deploy.evaluate.lives.score import as_of, is_true, score
from deploy.evaluate.lives.tally import tally
from ingest.lives.lives import lives
from ingest.lives.truth import Fraud
from processors.audit.found import Rule
from processors.audit.judge import judge
from schemas.errors import SettingError
from schemas.hours import DAY_US

SEED = 3


def test_what_was_done_is_found_and_no_honest_robot_is_established_to_be_false() -> None:
    scored = [score(life, SEED) for life in lives(SEED, range(25))]
    figures = tally(scored, SEED, 1.0, "a machine", datetime(2026, 1, 1, tzinfo=UTC))
    assert figures.false_established == 0
    assert any(one.confidence for one in figures.seen)
    for kind in {one.kind for one in figures.seen}:
        assert f"| {kind} | " in figures.markdown()


def test_as_of_a_moment_nothing_is_known_that_came_later() -> None:
    life = next(life for life in lives(SEED, range(10)) if len(life.hours) > 500)
    us = int(life.hours.received_us[250])
    then = as_of(life, us)
    assert (then.hours.received_us <= us).all()
    assert all(one.received_us <= us for one in then.history.stated)
    assert all(one.last_us <= us for one in then.sightings)


def test_a_finding_is_true_only_where_something_was_done_to_that_part_about_then() -> None:
    (robot,) = lives(4, range(12, 13))  # one in which a part was swapped
    truth = next(one for one in robot.truths if one.kind is Fraud.SWAP)
    finding = next(one for one in judge(as_of(robot, robot.end_us + 120 * DAY_US)) if one.rule is Rule.SWAP)
    assert is_true(finding, [truth])
    assert not is_true(finding, [msgspec.structs.replace(truth, component="controller")])
    earlier = msgspec.structs.replace(truth, first_us=0, last_us=1)
    assert not is_true(finding, [earlier])


def test_the_tables_go_between_the_marks_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- figures -->\nold\n<!-- figures -->\nb\n")
    between_marks(page, "new\n")
    assert page.read_text() == "a\n<!-- figures -->\nnew\n<!-- figures -->\nb\n"
    page.write_text("no marks")
    with pytest.raises(SettingError, match="needs two lines"):
        between_marks(page, "new\n")
