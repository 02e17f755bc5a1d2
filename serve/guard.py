"""What is turned away before anybody asks who it is: foreign host names, what is too long, a NUL.

In: every request. Out: the same, with its true scheme and client where a proxy told them; or a refusal. An ASGI
middleware around the application.
"""

from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve import trust
from serve.contract import MAX_BODY_BYTES, Problem
from serve.metrics import ServeMetrics
from serve.trust import BY_PROXY, Trust

MAX_HEADER_BYTES = 16 * 1024
"""Of all headers together; what comes in more pieces than that uvicorn refuses itself."""

_TOO_LONG = f"the body is longer than {MAX_BODY_BYTES} bytes"


class Guard:
    def __init__(self, app: ASGIApp, rules: Trust, metrics: ServeMetrics) -> None:
        self._app = app
        self._rules = rules
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        hosts = trust.values(headers, "host")
        if len(hosts) != 1 or not trust.known_host(self._rules, hosts[0]):
            await self._refuse(
                421, "host", "no name of this server: call it by its address, or name it in ROBOVITALS_SERVE_HOSTS"
            )(scope, receive, send)
            return
        if sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES:
            refusal = self._refuse(431, "headers", f"the headers are longer than {MAX_HEADER_BYTES} bytes")
            await refusal(scope, receive, send)
            return
        length = "".join(trust.values(headers, "content-length"))
        if length and (not length.isdecimal() or len(length) > 9 or int(length) > MAX_BODY_BYTES):
            await self._refuse(413, "body", _TOO_LONG)(scope, receive, send)
            return
        if b"%00" in scope["query_string"] or "\0" in scope["path"]:
            await self._refuse(422, "nul", "the address holds a NUL, which no text here does")(scope, receive, send)
            return
        self._tell_true(scope)
        await self._app(scope, _limited(receive), send)

    def _tell_true(self, scope: Scope) -> None:
        peer, port = scope["client"] or ("", 0)
        found = trust.forwarded(self._rules, peer, scope["scheme"], scope["headers"])
        scope["client"], scope["scheme"] = (found.client, port), found.scheme
        scope["state"] = {**scope.get("state", {}), BY_PROXY: found.by_proxy}

    def _refuse(self, status: int, reason: str, detail: str) -> Response:
        self._metrics.refused.labels(reason).inc()
        content = msgspec.json.encode(Problem("request refused", status, detail))
        return Response(content, status, media_type="application/problem+json")


def _limited(receive: Receive) -> Receive:
    """Whoever does not say beforehand how much will come is stopped when it is too much."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message: dict[str, Any] = dict(await receive())
        seen += len(message.get("body", b""))
        if seen > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LONG)
        return message

    return limited
