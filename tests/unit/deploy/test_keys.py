"""A process beside which is read which seals are required: when it begins, and how soon it knows."""

import asyncio

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from deploy.keys import TIMEOUT_S, Verifying
from processors.transient import FIRST_BACKOFF_S
from schemas.errors import StopError
from schemas.keyring import REFRESH_S, TAKES_EFFECT_S


class Working:
    """A process that works from its first moment on."""

    def __init__(self) -> None:
        self.begun = False

    async def run(self, stop: asyncio.Event) -> None:
        self.begun = True
        await stop.wait()

    def not_ready(self) -> str | None:
        return None

    def stuck(self, now_s: float) -> str | None:
        return None


class Tables:
    """A database that has one policy, for all."""

    def __init__(self, policy: str, looked: asyncio.Event) -> None:
        self._policy = policy
        self._looked = looked

    async def fetch(self, *_: object) -> list[dict[str, object]]:
        self._looked.set()
        return [{"maker": "*", "since_us": 0, "policy": self._policy}]

    def is_closed(self) -> bool:
        return False

    def terminate(self) -> None:
        pass


def unverified(policy: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Verifying, Working, asyncio.Event]:
    process, looked = Working(), asyncio.Event()

    async def connect(*_: object, **__: object) -> Tables:
        await asyncio.sleep(0)  # as a real one, which takes a moment
        return Tables(policy, looked)

    monkeypatch.setattr(asyncpg, "connect", connect)
    return Verifying(process, None, None, "postgres://nowhere", CollectorRegistry()), process, looked


async def test_what_cannot_verify_does_not_begin_where_seals_are_required(monkeypatch):
    verifying, process, _ = unverified("require", monkeypatch)
    with pytest.raises(StopError, match="no master key"):
        await verifying.run(asyncio.Event())
    assert not process.begun


async def test_what_cannot_verify_begins_where_nothing_must_be_sealed(monkeypatch):
    verifying, process, looked = unverified("off", monkeypatch)
    stop = asyncio.Event()
    running = asyncio.create_task(verifying.run(stop))
    await looked.wait()
    while not process.begun:
        await asyncio.sleep(0)
    stop.set()
    await running


async def test_one_that_is_stopped_before_it_was_told_anything_ends(monkeypatch):
    verifying, process, _ = unverified("off", monkeypatch)
    stop = asyncio.Event()
    stop.set()
    await verifying.run(stop)
    assert not process.begun


def test_a_change_is_known_before_it_holds_even_if_one_look_gets_no_answer():
    assert REFRESH_S + TIMEOUT_S + FIRST_BACKOFF_S < TAKES_EFFECT_S
