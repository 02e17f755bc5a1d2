"""One attempt, against servers of this test's own: what goes out, what is followed, and what is never told."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from processors.notify import smtp
from processors.notify.outgoing import outgoing
from processors.notify.receivers import Email, Reach, Receiver, Secret, Security, Webhook
from processors.notify.resolver import system_lookup
from processors.notify.schedule import Answer
from processors.notify.sending import KEPT_BYTES, HttpSender, make_sender
from processors.notify.smtp import SmtpSender
from processors.notify.wire import Event
from schemas.anomaly import Transition
from support.anomalies import NOW_US, SECRET, anomaly, email, pagerduty, webhook

EVENT = Event(id="msg_1", anomaly=anomaly())


@asynccontextmanager
async def serving(handle: Any, **site: Any) -> AsyncIterator[int]:
    """A server on a port of its own, for every path."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, **site).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def sent(receiver: Receiver, lookup: Any = system_lookup, timeout_s: float = 5.0) -> Answer:
    if isinstance(receiver, Email):
        return await SmtpSender(receiver, lookup).send(outgoing(receiver, "msg_1", [EVENT], NOW_US))
    sender = HttpSender(receiver, lookup, timeout_s)
    try:
        return await sender.send(outgoing(receiver, "msg_1", [EVENT], NOW_US))
    finally:
        await sender.close()


async def test_a_redirect_is_not_followed() -> None:
    paths: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=307, headers={"location": "/elsewhere"})

    async with serving(handle) as port:
        answer = await sent(webhook(url=f"http://127.0.0.1:{port}/hook"))
    assert (answer.code, paths) == (307, ["/hook"])


async def test_of_an_endless_answer_only_the_beginning_is_read() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 10_000)
        except (ConnectionError, asyncio.CancelledError):
            return response

    async with serving(handle) as port:
        answer = await sent(webhook(url=f"http://127.0.0.1:{port}/hook"))
    assert (answer.code, len(answer.body)) == (200, KEPT_BYTES)


async def test_who_does_not_answer_in_time_is_not_waited_for() -> None:
    never = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    async with serving(handle) as port:
        answer = await sent(webhook(url=f"http://127.0.0.1:{port}/hook"), timeout_s=0.2)
        never.set()
    assert (answer.code, answer.error) == (0, "no answer within 0.2 s")


async def test_it_connects_to_the_address_that_was_checked_and_keeps_the_name() -> None:
    hosts: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        hosts.append(request.headers["host"])
        return web.Response()

    async def lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    async with serving(handle) as port:
        answer = await sent(webhook(url=f"http://alerts.example:{port}/hook"), lookup)
    assert (answer.code, hosts) == (200, [f"alerts.example:{port}"])


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "127.1", "localhost"])
async def test_nothing_inside_is_reached_however_it_is_written(host: str) -> None:
    reached: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.Response()

    async with serving(handle) as port:
        answer = await sent(webhook(url=f"http://{host}:{port}/hook", reach=Reach(allow_http=True)))
    assert (answer.code, reached) == (0, [])
    assert answer.error


async def test_an_answer_that_repeats_the_secrets_is_kept_without_them() -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=400, text=f"{SECRET} {request.url} {(await request.read()).decode()}")

    async with serving(handle) as port:
        duty = pagerduty(url=f"http://127.0.0.1:{port}/c4n4ry", routing_key=Secret("k3y" * 10 + "kk"))
        hook = webhook(url=f"http://127.0.0.1:{port}/c4n4ry")
        for receiver in (duty, hook):
            answer = await sent(receiver)
            assert answer.code == 400
            assert "***" in answer.body
            assert "k3yk3y" not in answer.body
            assert not isinstance(receiver, Webhook) or not {SECRET, "c4n4ry"} & set(answer.body.split())


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/c4n4ry", "http://no.such.host.invalid/c4n4ry"])
async def test_no_error_has_the_address_with_its_token(url: str) -> None:
    answer = await sent(webhook(url=url))
    assert answer.error.startswith("cannot connect: ")
    assert "c4n4ry" not in answer.error


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response()

    async with serving(handle, ssl_context=_context(tmp_path)) as port:
        answer = await sent(webhook(url=f"https://127.0.0.1:{port}/hook"))
    assert answer.error == "its certificate is not valid for this address"


def _context(directory: Path, name: str = "localhost") -> ssl.SSLContext:
    """Of a server that vouches for itself."""
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


class Mailbox:
    """What a mail server took. It refuses who is called so."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("unknown"):
            return "550 nobody of that name"
        if address.startswith("busy"):
            return "451 try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content or b"", policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@asynccontextmanager
async def mail_server(**options: Any) -> AsyncIterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, **options), "127.0.0.1", 0)
    async with server:
        yield mailbox, server.sockets[0].getsockname()[1]


async def test_a_mail_arrives_as_one_of_a_thread() -> None:
    async with mail_server() as (mailbox, port):
        receiver = email(port=port, to=("ada@example.org", "unknown@example.org"))
        answer = await sent(receiver)
        sender = make_sender(receiver)
        cleared = Event(id="msg_2", anomaly=anomaly(Transition.CLEARED, 2))
        await sender.send(outgoing(receiver, "msg_2", [cleared], NOW_US))
    assert (answer.code, answer.body) == (250, "taken, but for unknown@example.org")
    first, second = mailbox.mails
    assert first["References"] == second["References"]
    assert first["Message-ID"] == "<msg_1@example.org>"
    assert "Joint 3 temperature is 95 °C" in first.get_content()


@pytest.mark.parametrize(("to", "code"), [("unknown@example.org", 550), ("busy@example.org", 451)])
async def test_what_a_mail_server_refuses_has_its_code(to: str, code: int) -> None:
    async with mail_server() as (_, port):
        answer = await sent(email(port=port, to=(to,)))
    assert answer.code == code


async def test_a_mail_server_that_is_not_there_or_inside_is_no_exception() -> None:
    assert (await sent(email(port=1))).error.startswith("ConnectionRefusedError")
    assert "not public" in (await sent(email(port=1, reach=Reach()))).error


async def test_mail_goes_out_with_tls_and_a_login_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins: list[LoginPassword] = []

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        logins.append(data)
        return AuthResult(success=data.password == b"c4n4ry", handled=False)

    async def lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    context = _context(tmp_path, "mail.example")
    options = {"tls_context": context, "require_starttls": True, "authenticator": authenticate}
    async with mail_server(**options) as (mailbox, port):
        receiver = email(
            host="mail.example", port=port, security=Security.STARTTLS, user="robots", password=Secret("c4n4ry")
        )
        answer = await sent(receiver, lookup)
        assert answer.error.startswith("TLS: ")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        assert (await sent(receiver, lookup)).code == 250
        wrong = email(
            host="mail.example", port=port, security=Security.STARTTLS, user="r", password=Secret("wr0ng")
        )
        refused = await sent(wrong, lookup)
    assert len(mailbox.mails) == 1
    assert {login.password for login in logins} == {b"c4n4ry", b"wr0ng"}
    assert (refused.code, refused.error[:29]) == (0, "the login was refused: 535 5."), refused
    assert "wr0ng" not in refused.error


@pytest.mark.parametrize("security", Security)
async def test_a_mail_server_that_drips_does_not_keep_its_thread(
    security: Security, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "MAIL_TIMEOUT_S", 0.3)
    left = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Never as slow as a step's time limit, and never done: a greeting, or a TLS record, byte by byte."""
        try:
            writer.write(b"\x16\x03\x03\x40\x00" if security is Security.TLS else b"22")
            while not reader.at_eof():
                writer.write(b"2")
                await writer.drain()
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1000), 0.02)
        except ConnectionError:
            pass
        left.set()
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        answer = await sent(email(port=server.sockets[0].getsockname()[1], security=security))
        await left.wait()
    assert (answer.code, answer.error) == (0, "not taken within 0.3 s")
