"""`robovitals tail`: what is in a topic, as a person reads it."""

import msgspec
from aiokafka import AIOKafkaProducer

from deploy.topics import delete_all
from schemas.anomaly import encode_anomaly
from schemas.kafka import Kafka
from schemas.topics import ANOMALIES
from support.frames import CODE
from support.messages import ANOMALY
from support.pipeline import Pipeline


async def test_the_last_messages_of_a_topic_are_printed_a_line_each(topics, database_url, tmp_path):
    value, headers = encode_anomaly(ANOMALY)
    async with AIOKafkaProducer(**topics.client()) as producer:
        await producer.send_and_wait(ANOMALIES.name, value, key=CODE.encode(), headers=headers)
        await producer.send_and_wait(ANOMALIES.name, b"junk", key=CODE.encode())
    command = Pipeline(tmp_path, topics, database_url).command
    done = command("tail", ANOMALIES.name, "--last", "10", "--count", "2", "--robot", CODE)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    assert (first["robot_id"], first["text"], first["offset"]) == (CODE, "too hot", 0)
    assert second["unreadable"].startswith("undecodable")


async def test_what_cannot_be_tailed_is_said_in_one_line(topics, database_url, tmp_path):
    command = Pipeline(tmp_path, topics, database_url).command
    assert "'fleet.wrong' is not a topic of ours" in command("tail", "fleet.wrong").stderr
    away = Pipeline(tmp_path, Kafka("127.0.0.1:1"), database_url).command("tail", ANOMALIES.name)
    assert away.returncode == 1
    assert away.stderr.startswith("robovitals: no Kafka answers at 127.0.0.1:1")
    assert away.stderr.count("\n") == 1
    await delete_all(topics)
    gone = command("tail", ANOMALIES.name)
    assert gone.stderr == "robovitals: topic fleet.anomalies does not exist: `robovitals topics`\n"
