"""The consumers in examples/, and the few lines of docs/consumers.md, against a real Kafka: whom they call."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from deploy.settings import read_settings
from schemas.action import Action, Kind, encode_action
from schemas.anomaly import FLEET, AlarmState, Anomaly, Transition, encode_anomaly
from schemas.kafka import Kafka
from schemas.topics import ACTIONS, ANOMALIES
from support.java import compiled
from support.messages import ANOMALY, CODE
from support.pipeline import WITHIN_S

ROOT = Path(__file__).parents[2]
WAIT_S = "2"
PYTHON = [sys.executable, str(ROOT / "examples" / "alerts.py")]


def opened(episode: str, **changes: Any) -> Anomaly:
    return msgspec.structs.replace(ANOMALY, episode_id=episode, cause="limit||||", **changes)


def then(anomaly: Anomaly, transition: Transition, state: AlarmState, **changes: Any) -> Anomaly:
    number = anomaly.number + 1
    return msgspec.structs.replace(anomaly, number=number, transition=transition, state=state, **changes)


HOT, MEMBER, SHORT, ASKED, LATER = map(opened, ("hot", "member", "short", "asked", "later"))
PARENT = opened("parent", robot_id=FLEET, component=FLEET)
ADOPTED = then(MEMBER, Transition.ADOPTED, AlarmState.UNACKNOWLEDGED_ACTIVE, parent="parent")
ENDED = then(SHORT, Transition.CLEARED, AlarmState.UNACKNOWLEDGED_CLEARED, active=False)
KNOWN = then(HOT, Transition.ACKNOWLEDGED, AlarmState.ACKNOWLEDGED_ACTIVE, actor="Ada")
OVER = then(PARENT, Transition.CLEARED, AlarmState.NORMAL, active=False)


ADOPT = Action(
    v=1, id="a-1", robot_id=CODE, kind=Kind.ADOPT, actor="", time_us=0, episode_id="asked", parent="parent"
)  # fmt: skip


async def act(kafka: Kafka, *values: bytes) -> None:
    async with AIOKafkaProducer(**kafka.client()) as producer:
        for value in values:
            await producer.send_and_wait(ACTIONS.name, value, CODE.encode())


async def send(kafka: Kafka, *anomalies: Anomaly, **added: Any) -> None:
    """`added`: fields that a later release may bring."""
    async with AIOKafkaProducer(**kafka.client()) as producer:
        for anomaly in anomalies:
            value, headers = encode_anomaly(anomaly)
            value = msgspec.json.encode(msgspec.json.decode(value) | added)
            await producer.send_and_wait(ANOMALIES.name, value, anomaly.robot_id.encode(), headers=headers)


@contextmanager
def running(command: list[str], output: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with output.open("ab") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=output.parent)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(process: "subprocess.Popen[bytes]", output: Path, holds: Callable[[str], bool]) -> str:
    """What the process has written, once that holds."""
    until_s = time.monotonic() + WITHIN_S
    while not holds(text := output.read_text()):
        assert process.poll() is None, text
        assert time.monotonic() < until_s, f"not said: {text}"
        time.sleep(0.05)
    return text


def heard(text: str) -> list[tuple[str, str]]:
    """What a ready consumer decided on, and of which episode."""
    return re.findall(r"^(CALL|OVER \(\w+\)) \S+ \S+ (\S+)", text, re.MULTILINE)


def said(process: "subprocess.Popen[bytes]", output: Path, *last: str) -> list[str]:
    """All that was decided on, once all of `last` was."""
    text = until(process, output, lambda text: set(last) <= {" ".join(one) for one in heard(text)})
    return [" ".join(one) for one in heard(text)]


def python(cache: Path, into: Path) -> list[str]:
    return PYTHON


def java(cache: Path, into: Path) -> list[str]:
    return compiled(cache, ROOT / "examples" / "Alerts.java", into)


def arguments(language: Any, kafka: Kafka, group: str) -> list[str]:
    if language is java:
        return [str(kafka), group, WAIT_S]
    return ["--bootstrap", str(kafka), "--group", group, "--wait", WAIT_S]


@pytest.mark.parametrize("language", [python, java])
async def test_a_ready_consumer_calls_for_what_nobody_speaks_for_and_goes_on_after_a_kill(
    language, topics, tmp_path
):
    command = language(read_settings().cache, tmp_path) + arguments(language, topics, language.__name__)
    output = tmp_path / "said.txt"
    with running(command, output) as process:
        await act(topics, b"junk", b"[1]", b"{}", encode_action(ADOPT))  # and its episode has not said so yet
        await send(topics, HOT, HOT, MEMBER, ADOPTED, SHORT, ENDED, ASKED, PARENT)
        assert sorted(said(process, output, "CALL hot", "CALL parent")) == ["CALL hot", "CALL parent"]
        await send(topics, KNOWN, OVER, new_field={"deep": [1]})
        said(process, output, "OVER (acknowledged_active) hot", "OVER (normal) parent")
    with running(command, output) as process:
        await send(topics, LATER)
        found = said(process, output, "CALL later")
    assert sorted(found[:2]) == ["CALL hot", "CALL parent"]
    assert sorted(found[2:4]) == ["OVER (acknowledged_active) hot", "OVER (normal) parent"]
    assert found.count("CALL later") == found.count("CALL hot") == 1


async def test_the_few_lines_of_the_documentation_print_each_alert(topics, tmp_path):
    text = (ROOT / "docs" / "consumers.md").read_text()
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    assert len(code.splitlines()) < 10
    script = tmp_path / "few.py"
    script.write_text(code.replace("127.0.0.1:9092", str(topics)))
    output = tmp_path / "said.txt"
    await send(topics, HOT)
    with running([sys.executable, "-u", str(script)], output) as process:
        until(process, output, lambda text: HOT.text in text and HOT.robot_id in text)


def test_the_example_message_of_the_documentation_is_one():
    text = (ROOT / "docs" / "consumers.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    msgspec.convert(json.loads(example), Anomaly)
