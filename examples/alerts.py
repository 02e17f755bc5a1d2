"""A ready alert consumer: whom to call, and when it is over. Copy it, and replace `tell`.

    pip install confluent-kafka
    python alerts.py --bootstrap 127.0.0.1:9092 --group my-alerts

What it relies on stands in docs/consumers.md. An episode calls somebody while its `state` is unacknowledged_active
and it has no `parent`; what it does not know it leaves alone. It decides on each message when that is ten seconds
old, by the latest that it has read of the episode: by then a parent may speak for it. That a parent does, it hears
first from fleet.actions. While it catches up it reads on first: much of what is in the past is over. It commits
what it has decided on, so what it had not is read again after a restart.
"""

import argparse
import json
import sys
import time
from collections import deque

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition


class Alerts:
    def __init__(self, wait_s):
        self.wait_s = wait_s
        self.latest = {}  # of each episode the newest message
        self.adopted = set()  # episodes that a parent speaks for, whether or not they have said so
        self.called = {}  # whether somebody was called for it; None: nobody knows, it began before we did
        self.due = deque()  # (when to decide, episode, partition, offset), oldest first
        self.behind = set()  # partitions that have more to read

    def take(self, message):
        if message.error():
            if message.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(message.error())
            self.behind.discard((message.topic(), message.partition()))
            return
        self.behind.add((message.topic(), message.partition()))
        try:
            value = json.loads(message.value() or b"")
            if message.topic() == "fleet.actions":
                self.take_action(value)
            else:
                self.take_alert(value, message)
        except (ValueError, KeyError, TypeError) as error:
            print(
                "passed over", message.topic(), message.partition(), message.offset(), repr(error), file=sys.stderr
            )

    def take_action(self, action):
        if action["kind"] == "adopt":
            self.adopted.add(action["episode_id"])
        if action["kind"] == "release":
            self.adopted.discard(action["episode_id"])

    def take_alert(self, alert, message):
        episode = alert["episode_id"]
        # A repeat has a number that we have seen: the same event again.
        if alert["number"] > self.latest.get(episode, {"number": 0})["number"]:
            self.latest[episode] = alert
            self.called.setdefault(episode, False if alert["number"] == 1 else None)
        at_s = message.timestamp()[1] / 1000 + self.wait_s
        self.due.append((at_s, episode, message.partition(), message.offset()))

    def decide(self, now_s):
        """Tell what is due; the offsets to commit."""
        done = {}
        while self.due and self.due[0][0] <= now_s and not self.behind:
            _, episode, partition, offset = self.due.popleft()
            done[partition] = offset + 1
            alert = self.latest[episode]
            spoken_for = alert["parent"] or episode in self.adopted
            calls = alert["state"] == "unacknowledged_active" and not spoken_for
            if calls != self.called[episode]:
                tell(calls, alert)
            self.called[episode] = calls
            if alert["state"] == "normal":  # over: only these are still needed, for repeats
                self.latest[episode] = {key: alert[key] for key in ("number", "state", "parent")}
                self.adopted.discard(episode)
        return done

    def forget(self, *_):
        """Partitions have gone to another consumer: it reads again what was not decided on."""
        self.due.clear()
        self.behind.clear()
        self.latest.clear()
        self.adopted.clear()
        self.called.clear()


def tell(calls, alert):
    """Yours. The episode is the key: calling twice, or ending what nobody was called for, must not matter."""
    what = "CALL" if calls else f"OVER ({alert['state']})"
    print(what, alert["robot_id"], alert["component"], alert["episode_id"], alert["text"], flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--wait", type=float, default=10, help="seconds that a parent has to speak for an episode")
    parser.add_argument("--from", dest="reset", choices=("earliest", "latest"), default="earliest")
    args = parser.parse_args()
    alerts = Alerts(args.wait)
    consumer = Consumer(
        {
            "bootstrap.servers": args.bootstrap,
            "group.id": args.group,
            "auto.offset.reset": args.reset,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "session.timeout.ms": 10_000,
        }
    )
    consumer.subscribe(["fleet.anomalies", "fleet.actions"], on_revoke=alerts.forget)
    try:
        while True:
            message = consumer.poll(0.2)
            if message is not None:
                alerts.take(message)
            if done := alerts.decide(time.time()):
                # Of fleet.actions none: after a restart it is read again, for who has been adopted.
                offsets = [TopicPartition("fleet.anomalies", *place) for place in done.items()]
                consumer.commit(offsets=offsets, asynchronous=False)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
