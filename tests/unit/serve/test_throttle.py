"""How often an address may try secrets that do not exist."""

from serve.throttle import ADDRESSES, MOST, ONE_MORE_EVERY_S, Throttle


def guess(throttle: Throttle, address: str, times: int, now_s: float = 0.0) -> None:
    for number in range(times):
        throttle.failed(address, f"{address} {now_s} {number}".encode(), now_s)


def test_who_guesses_must_wait_after_so_many_and_then_may_once_more():
    throttle = Throttle()
    guess(throttle, "192.0.2.1", MOST - 1)
    assert throttle.wait_s("192.0.2.1", 0.0) == 0.0
    guess(throttle, "192.0.2.1", 1, now_s=0.1)
    wait_s = throttle.wait_s("192.0.2.1", 0.1)
    assert 0.0 < wait_s <= ONE_MORE_EVERY_S
    assert throttle.wait_s("192.0.2.1", 0.2 + wait_s) == 0.0
    guess(throttle, "192.0.2.1", 1, now_s=0.2 + wait_s)
    assert throttle.wait_s("192.0.2.1", 0.2 + wait_s) > 0.0


def test_others_need_not_wait():
    throttle = Throttle()
    guess(throttle, "192.0.2.1", MOST)
    assert throttle.wait_s("192.0.2.2", 0.0) == 0.0


def test_one_wrong_secret_again_and_again_is_no_guessing():
    throttle = Throttle()
    for second in range(1000):
        throttle.failed("192.0.2.1", b"an old token", float(second))
        assert throttle.wait_s("192.0.2.1", float(second)) == 0.0


def test_one_ipv6_network_is_one_guesser():
    throttle = Throttle()
    for number in range(MOST):
        throttle.failed(f"2001:db8::{number:x}", bytes([number]), 0.0)
    assert throttle.wait_s("2001:db8::ffff", 0.0) > 0.0
    assert throttle.wait_s("2001:db8:0:1::1", 0.0) == 0.0


def test_only_so_many_addresses_are_remembered():
    throttle = Throttle()
    guess(throttle, "first", MOST)
    for number in range(ADDRESSES):
        throttle.failed(f"{number}", b"", 1.0)
    assert throttle.wait_s("first", 1.0) == 0.0
    assert throttle.wait_s("0", 1.0) == 0.0
