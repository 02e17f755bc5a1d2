"""Verdicts on incidents of known cause."""

import re

from deploy.cli import main
from deploy.evaluate.incidents.run import RIGHT, run
from deploy.evaluate.incidents.scenarios import Kind
from schemas.errors import SettingError


def test_the_same_seed_is_the_same_table_and_nothing_wrong_is_indicated(capsys):
    count = 5 * len(Kind)
    first, second = (run(count, 11, lambda done, whole: None) for _ in range(2))
    assert first == second
    assert first != run(count, 12, lambda done, whole: None)
    assert first.wrongs == 0
    assert sum(first.right(kind) for kind in RIGHT) >= 6


def test_the_command_writes_the_file(capsys):
    assert main(["evaluate", "--incidents", str(len(Kind)), "--seed", "3"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# Verdicts on incidents of known cause")
    assert all(f"| {kind} |" in text for kind in Kind)
    assert re.search(r"\*\*Wrong: \d+ of 18\*\*", text)


def test_too_few_incidents_and_options_of_other_ways_are_said(capsys):
    for arguments in (["--incidents", "3"], ["--incidents", "50", "--days", "3"]):
        assert main(["evaluate", *arguments]) == SettingError.exit_code
    assert "--days does not go with --incidents" in capsys.readouterr().err
