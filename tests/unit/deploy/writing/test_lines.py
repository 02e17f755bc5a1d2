"""A file of entries, line by line: a line at fault is told with its number, its neighbours count."""

from pathlib import Path

import pytest

from deploy.writing.lines import WRITABLE, read_drafts
from schemas.draft import Draft
from schemas.entry import Attachment
from schemas.errors import SettingError
from support.logbooks import ROBOT

HYPHENED = f"{ROBOT[:2]}-{ROBOT[2:6]}-{ROBOT[6:12]}-{ROBOT[12:]}"
GREASED = Draft(
    robot_id=ROBOT, kind="maintenance_done", values={"task": "greased", "component": "joint/3"}, happened_us=0
)


def read(path: Path, name: str, *lines: str) -> list[tuple[int, Draft | str]]:
    (path / name).write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
    return list(read_drafts(path / name))


def test_a_row_of_a_csv_is_an_entry_and_an_empty_cell_says_nothing(tmp_path: Path):
    found = read(
        tmp_path, "e.csv", "\ufeffkind,code,happened,task,component,reason",
        f"maintenance_done,{HYPHENED},1970-01-01,greased , joint/3,",
    )  # fmt: skip
    assert found == [(2, GREASED)]


def test_a_json_line_is_an_entry_with_its_numbers_and_attachments(tmp_path: Path):
    found = read(
        tmp_path, "e.jsonl", "",
        f'{{"code":"{ROBOT}","kind":"inspection","happened":"1970-01-01","runtime_s":7,"passed":true,"text":"ok",'
        f'"next":null,"attachments":[{{"name":"a.pdf","media_type":"application/pdf","size_bytes":1,'
        f'"sha256":"{"0" * 64}"}}]}}',
    )  # fmt: skip
    attachment = Attachment(name="a.pdf", media_type="application/pdf", size_bytes=1, sha256="0" * 64)
    assert found == [
        (2, Draft(robot_id=ROBOT, kind="inspection", values={"passed": True, "text": "ok"}, happened_us=0,
                  runtime_s=7, attachments=(attachment,))),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        ('{"code":"\udcff"}', "no JSON object"),
        ('{"code":"%s","happened":"1970-01-01"}', "it has no kind"),
        ('{"code":"%s","kind":"sold","happened":"1970-01-01"}', "kind 'sold': one of registered"),
        ('{"code":"%s","kind":"key_registered","happened":"1970-01-01"}', "kind 'key_registered': one of"),
        ('{"kind":"scrapped","happened":"1970-01-01"}', "it has no code"),
        ('{"code":"ZZ1","kind":"scrapped","happened":"1970-01-01"}', "has 3 characters"),
        ('{"code":"%s","kind":"scrapped"}', "it has no happened"),
        ('{"code":"%s","kind":"scrapped","happened":"once"}', "happened 'once': give a time"),
        ('{"code":"%s","kind":"scrapped","happened":"1970-01-01","runtime_s":"x"}', "runtime_s: "),
        ('{"code":"%s","kind":"scrapped","happened":"1970-01-01","attachments":[{}]}', "attachments: "),
    ],
)
def test_a_line_at_fault_is_told_and_those_beside_it_are_read(tmp_path: Path, line: str, text: str):
    greased = '"kind":"maintenance_done","happened":"1970-01-01","task":"greased","component":"joint/3"'
    good = f'{{"code":"{ROBOT}",{greased}}}'
    at_fault = line % ROBOT if "%s" in line else line
    (_, first), (number, why), (_, last) = read(tmp_path, "e.json", good, at_fault, good)
    assert (first, number, last) == (GREASED, 2, GREASED)
    assert isinstance(why, str)
    assert text in why


def test_a_row_with_too_many_cells_is_told(tmp_path: Path):
    assert read(tmp_path, "e.csv", "code,kind", "a,b,c") == [(2, "it has more cells than the head")]


@pytest.mark.parametrize(
    ("head", "text"),
    [
        ("kind,happened", "the head has no column 'code'"),
        ("code,task,task", "the head has column 'task' twice"),
        ("code,compnent", "no column is called 'compnent': did you mean component?"),
        ("code,", "no column is called ''"),
    ],
)
def test_a_head_that_cannot_be_meant_is_told_before_anything_is_read(tmp_path: Path, head: str, text: str):
    with pytest.raises(SettingError, match=text.replace("?", r"\?")):
        read(tmp_path, "e.csv", head, "x,y,z")


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path: Path):
    (tmp_path / "e.csv").write_bytes(b"code,kind\n\xff\xfe,x\n")
    with pytest.raises(SettingError, match=r"e\.csv, line"):
        list(read_drafts(tmp_path / "e.csv"))


def test_keys_are_written_by_commands_of_their_own():
    assert not {"key_registered", "key_revoked"} & set(WRITABLE)
