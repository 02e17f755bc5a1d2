"""`robovitals verify-log`: one word, each fault with its entry, an exit code, and no server."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from deploy import cli
from schemas.canonical import canonical
from schemas.logbook_file import write_file
from schemas.signing import public_key
from support.logbooks import MAKER, OTHER_ROBOT, OWNER, PLATFORM, ROBOT, SOLD, SWAPPED, Fleet, begun, of_kind


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A directory with a logbook, the platform's keys and its checkpoints."""
    writer, fleet = begun(), Fleet()
    fleet.checkpoint(writer)
    writer.write(SOLD, MAKER, OWNER)
    proof = fleet.checkpoint(writer)
    (tmp_path / f"{ROBOT}.logbook.jsonl").write_bytes(write_file(ROBOT, writer.records, [proof]))
    (tmp_path / "platform.keys").write_text(f"# of the platform\n\n{public_key(PLATFORM)}  # 2026\n")
    lines = b"".join(canonical(line) + b"\n" for line in fleet.published)
    (tmp_path / "checkpoints.jsonl").write_bytes(lines)
    return tmp_path


def outside(exported: Path) -> list[str]:
    return ["--keys", f"{exported}/platform.keys", "--checkpoint", f"{exported}/checkpoints.jsonl"]


def test_a_true_logbook_is_proven_with_keys_and_checkpoint(exported, capsys):
    assert cli.main(["verify-log", f"{exported}/{ROBOT}.logbook.jsonl", *outside(exported)]) == 0
    assert capsys.readouterr().out == (
        f"PROVEN: {ROBOT}.logbook.jsonl, robot {ROBOT}, 6 entries\n"
        "  up to entry 6 as it was at the checkpoint of 2025-10-15 08:53+00:00\n"
    )


def test_without_them_it_says_what_is_not_proven(exported, capsys):
    assert cli.main(["verify-log", f"{exported}/{ROBOT}.logbook.jsonl"]) == 3
    out = capsys.readouterr().out
    assert out.startswith("NOT PROVEN: ")
    assert out.count("not proven: ") == 2


def test_a_fault_is_named_with_its_entry(exported, capsys):
    path = exported / f"{ROBOT}.logbook.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Ada Lovelace", b"Bob Lovelace"))
    assert cli.main(["verify-log", str(path), *outside(exported)]) == 1
    assert "  entry 6: wrong_opening: a value beside it" in capsys.readouterr().out


def test_a_directory_is_every_logbook_in_it_and_the_worst_counts(exported, capsys):
    other = begun(OTHER_ROBOT)
    (exported / f"{OTHER_ROBOT}.logbook.jsonl").write_bytes(write_file(OTHER_ROBOT, other.records[1:]))
    assert cli.main(["verify-log", str(exported), *outside(exported), "--json"]) == 1
    one, two = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert (one["robot_id"], one["proven"], one["faults"]) == (ROBOT, True, [])
    assert (two["robot_id"], two["proven"], two["faults"][-1]["number"]) == (OTHER_ROBOT, False, 1)


def test_a_kind_that_would_steer_the_terminal_does_not(exported, capsys):
    writer = begun()
    writer.force(of_kind(writer.sign(SWAPPED), "\x1b[2J"))
    (exported / "odd").write_bytes(write_file(ROBOT, writer.records))
    assert cli.main(["verify-log", f"{exported}/odd"]) == 3
    assert "does not know: ?[2J\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "text", "says"),
    [
        ("--keys", "abc\n", "each line is a public key of 64 hexadecimal digits"),
        ("--keys", "# none\n", "there is no key in it"),
        ("--checkpoint", "{}\n", "line 1 is no checkpoint"),
        ("--checkpoint", "", "there is no checkpoint in it"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_its_option(exported, capsys, option, text, says):
    (exported / "wrong").write_text(text)
    assert cli.main(["verify-log", f"{exported}/{ROBOT}.logbook.jsonl", option, f"{exported}/wrong"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"robovitals: {option} ")
    assert says in error


def test_a_directory_without_a_logbook_and_a_file_that_is_not_there_are_named(tmp_path, capsys):
    assert cli.main(["verify-log", str(tmp_path)]) == 2
    assert "no file in it ends in .logbook.jsonl" in capsys.readouterr().err
    assert cli.main(["verify-log", f"{tmp_path}/none"]) == 2
    assert "No such file" in capsys.readouterr().err


def test_it_needs_nothing_but_its_own_extra(exported):
    others = ("numpy", "asyncpg", "faust", "aiohttp", "rich", "fastapi", "psycopg", "psutil", "confluent_kafka")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({others!r})); from deploy.cli import main; "
        "sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["verify-log", f"{exported}/{ROBOT}.logbook.jsonl", *outside(exported)]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
