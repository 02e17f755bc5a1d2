"""A client that calls an application without a network; it leaves a stream of events after its first."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def header(self, name: str) -> str:
        """All of its values; empty where it has none."""
        return "\n".join(value for key, value in self.headers if key == name)


async def ask(
    app: Any,
    method: str,
    target: str,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    peer: str = "127.0.0.1",
    host: str = "127.0.0.1:8080",
) -> Answer:
    path, _, query = target.partition("?")
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    if host:
        pairs.append(("host", host))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in pairs],
        "client": (peer, 50_000), "server": ("127.0.0.1", 8080),
    }  # fmt: skip
    call = _Call(body)
    task = asyncio.create_task(app(scope, call.receive, call.send))
    leaving = asyncio.create_task(call.enough.wait())
    await asyncio.wait((task, leaving), return_when=asyncio.FIRST_COMPLETED)
    leaving.cancel()
    if task.done():
        # Starlette answers what breaks in the application, and lets the server log it.
        if task.exception() is not None and not call.status:
            await task
    else:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return Answer(call.status, call.headers, call.body)


class _Call:
    def __init__(self, body: bytes) -> None:
        self._request = [{"type": "http.request", "body": body, "more_body": False}]
        self.enough = asyncio.Event()
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    async def receive(self) -> dict[str, Any]:
        if self._request:
            return self._request.pop()
        await asyncio.Event().wait()  # whoever asks again waits for us to go
        raise AssertionError

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(name.decode(), value.decode()) for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            if self.body and ("content-type", "text/event-stream; charset=utf-8") in self.headers:
                self.enough.set()
