"""What a producer's answers say of its quota."""

from types import SimpleNamespace

from ingest.throttle import Throttle


class Client:
    """Answers with the numbers it is given."""

    def __init__(self, *throttled_ms):
        self.answers = [SimpleNamespace(throttle_time_ms=ms) for ms in throttled_ms] + [SimpleNamespace()]

    async def send(self, node, request, *, group=None):
        return self.answers.pop(0)


async def test_what_the_broker_asks_for_is_added_up_and_runs_down():
    now_s = [100.0]
    throttle, producer = Throttle(lambda: now_s[0]), SimpleNamespace(client=Client(0, 1500))
    throttle.watch(producer)
    await producer.client.send(1, "request")
    assert (throttle.last_ms, throttle.left_s) == (0, 0.0)
    await producer.client.send(1, "request", group=2)
    assert (throttle.last_ms, throttle.waited_ms, throttle.left_s) == (1500, 1500, 1.5)
    now_s[0] += 1.0
    assert throttle.left_s == 0.5
    now_s[0] += 1.0
    assert throttle.left_s == 0.0


async def test_an_answer_that_knows_no_quota_says_nothing():
    throttle, producer = Throttle(), SimpleNamespace(client=Client())
    throttle.take(20)
    throttle.watch(producer)
    await producer.client.send(1, "request")
    assert (throttle.last_ms, throttle.waited_ms) == (20, 20)
