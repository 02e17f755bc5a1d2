"""One attempt: a message goes out, an Answer comes back. No exception but a cancellation leaves it.

In: what `processors/notify/outgoing.py` made. Out: the Answer. Called by `processors/notify/delivering.py`.

No redirect is followed, no proxy of the environment used, no cookie kept, and no answer read to its end. Errors are
told in our words or scrubbed: a library's may repeat the address.
"""

import os
import socket
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, assert_never

import aiohttp
import msgspec
from yarl import URL

from processors.notify import silences
from processors.notify.receivers import Alertmanager, Email, PagerDuty, Receiver, Webhook, scrubbed
from processors.notify.resolver import CheckedResolver, Lookup, check_literal, system_lookup
from processors.notify.schedule import Answer, is_success
from processors.notify.smtp import SmtpSender
from processors.notify.wire import Outgoing, Post, Silence
from schemas.errors import RetryError

TIMEOUT_S = 15.0  # the specification's: 15 to 30 s
KEPT_BYTES = 500
MOST_SILENCES_BYTES = 256 * 1024
HTTP_OK = 200
_USER_AGENT = "robovitals"
_Requesting = AbstractAsyncContextManager[aiohttp.ClientResponse]


class Sender(Protocol):
    """What a receiver is spoken to with."""

    async def send(self, outgoing: Outgoing) -> Answer: ...

    async def close(self) -> None: ...


MakeSender = Callable[[Receiver], Sender]


def make_sender(receiver: Receiver) -> Sender:
    match receiver:
        case Webhook() | PagerDuty() | Alertmanager():
            return HttpSender(receiver, system_lookup)
        case Email():
            return SmtpSender(receiver, system_lookup)
    assert_never(receiver)


class HttpSender:
    """A session of its own: a slow receiver takes nobody else's connections."""

    def __init__(
        self, receiver: Webhook | PagerDuty | Alertmanager, lookup: Lookup, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._receiver = receiver
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=CheckedResolver(receiver.reach, lookup),
                use_dns_cache=False,
                force_close=True,
                limit=receiver.pace.concurrency + 1,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            auto_decompress=False,
            trust_env=False,
            headers={"user-agent": _USER_AGENT},
        )

    async def send(self, outgoing: Outgoing) -> Answer:
        assert isinstance(outgoing, Post)
        began_s = time.monotonic()
        answer = await self._answer(outgoing)
        return Answer(
            code=answer.code,
            body=scrubbed(self._receiver, answer.body),
            error=scrubbed(self._receiver, answer.error),
            retry_after=answer.retry_after,
            duration_s=time.monotonic() - began_s,
        )

    async def close(self) -> None:
        await self._session.close()

    async def _answer(self, post: Post) -> Answer:
        try:
            answer = await self._call("POST", URL(post.url, encoded=True), post.headers, post.body)
            if post.silence is None or not is_success(answer):
                return answer
            return await self._settle(post.silence, post.headers) or answer
        except RetryError as error:
            return Answer(error=str(error))
        except TimeoutError:
            return Answer(error=f"no answer within {self._session.timeout.total:g} s")
        except aiohttp.ClientConnectorCertificateError:
            return Answer(error="its certificate is not valid for this address")
        except aiohttp.ClientConnectorError as error:
            return Answer(error=f"cannot connect: {_system_words(error.os_error)}")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(error=f"{type(error).__name__}: {str(error)[:200]}")

    async def _call(self, method: str, url: URL, headers: dict[str, str], body: bytes | None) -> Answer:
        check_literal(url.host or "", self._receiver.reach)
        async with self._request(method, url, headers, body) as response:
            kept = await _beginning(response, KEPT_BYTES)
            return Answer(
                code=response.status,
                body=kept.decode(errors="replace").replace("\0", " "),
                retry_after=response.headers.get("retry-after", "")[:100],
            )

    def _request(self, method: str, url: URL, headers: dict[str, str], body: bytes | None) -> _Requesting:
        return self._session.request(method, url, data=body, headers=headers, allow_redirects=False)

    async def _settle(self, silence: Silence, headers: dict[str, str]) -> Answer | None:
        """What did not go well; the whole attempt is then made again."""
        address, query = silences.asked(silence)
        async with self._request("GET", URL(address, encoded=True).with_query(query), headers, None) as response:
            body = await _beginning(response, MOST_SILENCES_BYTES)
            if response.status != HTTP_OK:
                return Answer(code=response.status, error="its silences cannot be read")
        try:
            there = silences.read(body)
        except msgspec.DecodeError as error:
            return Answer(error=f"its silences cannot be read: {error}")
        for one in silences.requests(silence, there, time.time_ns() // 1000):
            answer = await self._call(one.method, URL(one.url, encoded=True), headers, one.body)
            if not is_success(answer):
                return answer
        return None


def _system_words(error: OSError) -> str:
    """asyncio's own words would have the address in them."""
    if isinstance(error, socket.gaierror):
        return error.strerror or "its name has no address"
    return os.strerror(error.errno) if error.errno and error.errno > 0 else type(error).__name__


async def _beginning(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The first bytes of the answer. What comes of the rest makes no difference: the answer's code has come."""
    kept = b""
    try:
        while len(kept) < most and (chunk := await response.content.read(most - len(kept))):
            kept += chunk
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass
    return kept
