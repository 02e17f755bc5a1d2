"""Writing in logbooks from the command line, on a real Kafka and a real database."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import msgspec
import pytest

from deploy.platform_key import read_public_keys
from schemas.kafka import Kafka
from schemas.logbook_check import check_logbook
from support.logbooks import OTHER_ROBOT, ROBOT
from support.writing import Desk, desk

HEAD = "code,maker,model,level,joints,made,registered,owner,battery,joint/3,joint/3.part"
ONE = f"{ROBOT},ACME,M1,L3,29,2026-01-01,2026-01-05,Ada,B-1,S-1,A-17"
TWO = f"{OTHER_ROBOT},ACME,M1,L3,29,2026-01-01,2026-01-05,Ada,B-2,S-2,A-17"


@pytest.fixture
def at(tmp_path: Path, topics: Kafka, database_url: str) -> Iterator[Desk]:
    with desk(tmp_path, topics, database_url) as found:
        yield found


def registered(at: Desk) -> Path:
    """Two robots are there; returns their maker's key."""
    maker = at.key("ACME", "maker")
    done = at.told("robot", "import", at.file("r.csv", HEAD, ONE, TWO), "--key", str(maker), "--holder", "ACME")
    assert (done["written"], done["entries"], done["refused"]) == (2, 10, [])
    return maker


def shown(at: Desk, code: str = ROBOT) -> list[dict[str, object]]:
    done = at.running.command("logbook", "show", code, "--json")
    return msgspec.json.decode(done.stdout, type=list[dict[str, object]])


async def test_a_list_of_robots_is_registered_but_for_the_lines_that_are_told(
    at: Desk, database: asyncpg.Connection
):
    maker = at.key("ACME", "maker")
    wrong = [TWO.replace("L3", "L9"), TWO.replace("2026-01-01", "spring"), "ZZ1" + TWO[29:], ONE]
    arguments = ("robot", "import", at.file("r.csv", HEAD, ONE, *wrong), "--key", str(maker), "--holder", "ACME")
    checked = at.told(*arguments, "--check", code=1)
    assert await database.fetchval("SELECT count(*) FROM logbook_entry") == 0
    done = at.told(*arguments, code=1)
    refused = msgspec.convert(done["refused"], list[dict[str, object]])
    assert [(one["line"], str(one["text"])[:15]) for one in refused] == [
        (3, "registered: Exp"), (4, "made 'spring': "), (5, "robot code 'ZZ1"), (6, "line 2 is about"),
    ]  # fmt: skip
    assert (checked["written"], checked["refused"]) == (done["written"], done["refused"]) == (1, done["refused"])
    (row,) = await database.fetch("SELECT robot_id, maker, level, status FROM passport")
    assert tuple(row) == (ROBOT, "ACME", "L3", "active")
    assert await database.fetchval("SELECT count(*) FROM installed_part") == 2
    again = at.told(*arguments, code=1)
    assert (again["written"], again["there"], again["entries"]) == (0, 1, 0)


async def test_the_platform_registers_robots_by_itself_but_does_not_tell_of_parts(
    at: Desk, database: asyncpg.Connection
):
    head, one = HEAD.removesuffix(",battery,joint/3,joint/3.part"), ONE.removesuffix(",B-1,S-1,A-17")
    assert at.told("robot", "import", at.file("r.csv", head, one))["entries"] == 2
    code, said = at.said("robot", "import", at.file("s.csv", HEAD, TWO))
    assert (code, "part_installed is for the maker to sign: --key FILE" in said) == (1, True)
    assert await database.fetchval("SELECT count(*) FROM passport") == 1


async def test_an_entry_is_written_with_its_number_and_a_refusal_says_why(at: Desk, database: asyncpg.Connection):
    registered(at)
    workshop = str(at.key("Graz", "workshop", ROBOT))
    written = at.told(
        "logbook", "write", ROBOT, "maintenance_done", "--task", "greased", "--component", "joint/3", "--by", "Bob",
        "--runtime-s", "7200", "--attach", at.file("report.txt", "all well"), "--key", workshop,
    )  # fmt: skip
    assert (written["number"], written["kind"]) == (7, "maintenance_done")
    last = shown(at)[-1]
    assert last["says"] == {"task": "greased", "component": "joint/3", "by": "Bob"}
    assert (last["holder"], last["role"], last["runtime_s"], last["late"]) == ("Graz", "workshop", 7200, False)
    (file,) = msgspec.convert(last["attachments"], list[dict[str, object]])
    assert (file["name"], file["size_bytes"], file["media_type"]) == ("report.txt", 9, "text/plain")
    record = await database.fetchval("SELECT record FROM logbook_entry WHERE number = 7 AND robot_id = $1", ROBOT)
    assert b"Bob" not in record
    for arguments, why in (
        ((ROBOT, "scrapped", "--reason", "x"), "wrong_role: a key of role workshop may not write scrapped"),
        ((OTHER_ROBOT, "inspection", "--passed", "true", "--text", "x"), "unregistered: "),
        ((ROBOT, "calibration", "--component", "arm", "--method", "x"), "$.component"),
        ((ROBOT, "correction", "--corrects", "99", "--reason", "x"), "'99': 0 entries"),
    ):
        code, said = at.said("logbook", "write", *arguments, "--key", workshop)
        assert code == 2
        assert why in said
    assert len(shown(at)) == 7


def test_a_correction_writes_what_holds_instead_and_names_both(at: Desk):
    registered(at)
    workshop = str(at.key("Graz", "workshop", ROBOT))
    greased = ("maintenance_done", "--task", "greased", "--component")
    assert at.said("logbook", "write", ROBOT, *greased, "joint/3", "--key", workshop)[0] == 0
    correct = ("--correct", "7", "--because", "another joint", "--key", workshop)
    code, said = at.said("logbook", "write", ROBOT, *greased, "joint/4", *correct)
    assert (code, said.count("entry ")) == (0, 2)
    lines = shown(at)
    assert [line["corrected_by"] for line in lines[-3:]] == [9, None, None]
    says = msgspec.convert(lines[-1]["says"], dict[str, str])
    assert (says["corrects"], says["instead"]) == (lines[-3]["entry_id"], lines[-2]["entry_id"])
    assert "[corrected by 9]" in at.said("logbook", "show", ROBOT)[1]


async def test_a_file_of_entries_is_written_once_however_often_it_comes(at: Desk, database: asyncpg.Connection):
    registered(at)
    workshop = str(at.key("Graz", "workshop", ROBOT, OTHER_ROBOT))
    head = "code,kind,happened,task,component,serial,part,reason,by"
    lines = [
        f"{ROBOT},part_removed,2026-10-02,,joint/3,S-1,,worn,Bob",
        f"{ROBOT},part_installed,2026-10-02T01:00Z,,joint/3,S-9,A-18,,Bob",
        f"{OTHER_ROBOT},maintenance_done,2026-10-01,greased,joint/1,,,,Bob",
        f"{OTHER_ROBOT},maintenance_done,2026-10-01,greased,arm,,,,Bob",
        f"{OTHER_ROBOT},scrapped,2026-10-01,,,,,fire,",
    ]
    begun = at.told("logbook", "import", at.file("a.csv", head, *lines[:1]), "--key", workshop)
    assert (begun["written"], begun["refused"]) == (1, [])
    rest = ("logbook", "import", at.file("a.csv", head, *lines), "--key", workshop)
    for written, there in ((2, 1), (0, 3)):
        done = at.told(*rest, code=1)
        assert (done["written"], done["there"]) == (written, there)
        assert [one["line"] for one in msgspec.convert(done["refused"], list[dict[str, object]])] == [5, 6]
    serial = "SELECT serial FROM installed_part WHERE robot_id = $1 AND component = 'joint/3'"
    assert await database.fetchval(serial, ROBOT) == "S-9"
    assert await database.fetchval("SELECT count(*) FROM reject") == 0


async def test_a_batch_is_recalled_by_its_parts_and_each_recall_is_one_entry(
    at: Desk, database: asyncpg.Connection
):
    maker = str(registered(at))
    recall = ("logbook", "recall", "--campaign", "C1", "--reason", "brittle", "--key", maker)
    by_parts = (*recall, "--part-serials", at.file("serials.txt", "S-2", "S-777"))
    assert [at.told(*by_parts)["written"] for _ in range(2)] == [1, 0]
    statuses = "SELECT status FROM passport ORDER BY robot_id"
    assert [row["status"] for row in await database.fetch(statuses)] == ["active", "recalled"]
    assert at.told(*recall, "--model", "M1")["written"] == 1
    assert at.said("logbook", "write", ROBOT, "recall_done", "--campaign", "C1", "--key", maker)[0] == 0
    assert [row["status"] for row in await database.fetch(statuses)] == ["active", "recalled"]
    code, said = at.said(*recall, "--prefix", "QQ")
    assert (code, "no robot is meant" in said) == (2, True)


def test_a_key_that_is_revoked_writes_no_more_and_what_it_wrote_can_still_be_checked(at: Desk):
    registered(at)
    workshop = at.key("Graz", "workshop", ROBOT, OTHER_ROBOT)
    write = ("logbook", "write", ROBOT, "recall_done", "--campaign", "C", "--key", str(workshop))
    assert at.said(*write)[0] == 0
    public = str(next(line["author"] for line in shown(at)[::-1] if line["holder"] == "Graz"))
    revoke = ("logbook", "revoke-key", public, "--reason", "stolen")
    assert [at.told(*revoke)["written"] for _ in range(2)] == [2, 0]
    code, said = at.said(*write)
    assert (code, "revoked: entry 8 revokes" in said) == (2, True)
    out = at.home / "out.logbook.jsonl"
    assert at.said("logbook", "export", ROBOT, "--out", str(out))[0] == 0
    verdict = check_logbook(out.read_bytes(), read_public_keys(at.home / "platform.keys"))
    assert (verdict.faults, verdict.entries) == ((), 8)


def test_a_key_that_others_may_read_is_not_used_and_none_is_overwritten(at: Desk):
    workshop = at.key("Graz", "workshop")
    code, said = at.said("logbook", "author", "Graz", "--role", "workshop", "--out", str(workshop))
    assert (code, "is there already" in said) == (2, True)
    assert workshop.stat().st_mode & 0o077 == 0
    workshop.chmod(0o644)
    code, said = at.said("logbook", "write", ROBOT, "recall_done", "--campaign", "C", "--key", str(workshop))
    assert (code, f"chmod 600 {workshop}" in said) == (2, True)
