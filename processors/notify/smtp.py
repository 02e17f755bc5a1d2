"""One mail: handed to a mail server, in a thread.

In: a message. Out: an Answer with the server's code: 250 when it has taken the mail for at least one mailbox.
Called by `processors/notify/delivering.py`. As with HTTP, the name is resolved once and its address checked.

Each step has a time limit, and so has the whole: a server that sends a byte now and then meets no limit of a step,
and would keep its thread for ever. Its connection is cut from outside, which ends the thread.
"""

import asyncio
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from processors.notify.receivers import Email, Security, scrubbed
from processors.notify.resolver import Lookup, checked_addresses
from processors.notify.schedule import Answer
from processors.notify.wire import Mail, Outgoing
from schemas.errors import RetryError

STEP_TIMEOUT_S = 10.0
MAIL_TIMEOUT_S = 60.0
_KEPT = 500


class SmtpSender:
    """A connection a mail: mails are few."""

    def __init__(self, receiver: Email, lookup: Lookup) -> None:
        self._receiver = receiver
        self._lookup = lookup

    async def send(self, outgoing: Outgoing) -> Answer:
        assert isinstance(outgoing, Mail)
        began_s = time.monotonic()
        answer = await self._answer(outgoing)
        return Answer(
            code=answer.code,
            body=scrubbed(self._receiver, answer.body)[:_KEPT],
            error=scrubbed(self._receiver, answer.error)[:_KEPT],
            duration_s=time.monotonic() - began_s,
        )

    async def close(self) -> None:
        """Nothing stays open."""

    async def _answer(self, mail: Mail) -> Answer:
        receiver = self._receiver
        try:
            addresses = await checked_addresses(receiver.host, receiver.port, receiver.reach, self._lookup)
            return await _in_time(receiver, addresses[0][1], mail)
        except RetryError as error:
            return Answer(error=str(error))
        except smtplib.SMTPRecipientsRefused as error:
            code, text = max(error.recipients.values())
            return Answer(code=code, error=f"refused every mailbox: {_text(text)}")
        except smtplib.SMTPAuthenticationError as error:
            # Without its code: somebody may correct the password, so it is tried again.
            return Answer(error=f"the login was refused: {error.smtp_code} {_text(error.smtp_error)}")
        except smtplib.SMTPResponseException as error:
            return Answer(code=error.smtp_code, error=_text(error.smtp_error))
        except TimeoutError:
            return Answer(error=f"no answer within {STEP_TIMEOUT_S:g} s")
        except ssl.SSLError as error:
            return Answer(error=f"TLS: {error.reason or error}")
        except (smtplib.SMTPException, OSError) as error:
            return Answer(error=f"{type(error).__name__}: {error}")


class _Line:
    """The connection of one mail: opened in a thread, and cut from outside of it.

    What is kept is a second handle of the socket: TLS takes the first away when it begins.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._handle: socket.socket | None = None
        self._is_cut = False

    def connect(self, port: int, timeout: float) -> socket.socket:
        connected = socket.create_connection((self._address, port), timeout)
        self._handle = connected.dup()
        if self._is_cut:
            self.cut()
        return connected

    def cut(self) -> None:
        """Whatever waits for the server gets an error."""
        self._is_cut = True
        if self._handle is not None:
            with suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def closed_after(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self._handle is not None:
                self._handle.close()


async def _in_time(receiver: Email, address: str, mail: Mail) -> Answer:
    """Raises what `_hand_over` does."""
    line = _Line(address)
    handing = asyncio.create_task(asyncio.to_thread(_hand_over, receiver, line, mail))
    try:
        done, _ = await asyncio.wait({handing}, timeout=MAIL_TIMEOUT_S)
        if done:
            return await handing
        line.cut()
        with suppress(smtplib.SMTPException, OSError):
            return await handing  # it may have been taken just then
        return Answer(error=f"not taken within {MAIL_TIMEOUT_S:g} s")
    finally:
        line.cut()


class _Plain(smtplib.SMTP):
    """Connects by `line`; `host` stays what the certificate has to name."""

    def __init__(self, host: str, port: int, line: _Line, **options: Any) -> None:
        self._line = line
        super().__init__(host, port, timeout=STEP_TIMEOUT_S, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._line.connect(port, timeout)


class _Tls(smtplib.SMTP_SSL):
    """The same, with TLS from the beginning."""

    def __init__(self, host: str, port: int, line: _Line, context: ssl.SSLContext) -> None:
        self._line = line
        super().__init__(host, port, timeout=STEP_TIMEOUT_S, context=context)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(self._line.connect(port, timeout), server_hostname=host)


def _hand_over(receiver: Email, line: _Line, mail: Mail) -> Answer:
    """In a thread of its own. Raises SMTPException, OSError."""
    with line.closed_after(), _server(receiver, line) as server:
        return _talk(server, receiver, mail)


def _server(receiver: Email, line: _Line) -> smtplib.SMTP:
    if receiver.security is Security.TLS:
        return _Tls(receiver.host, receiver.port, line, ssl.create_default_context())
    return _Plain(receiver.host, receiver.port, line)


def _talk(server: smtplib.SMTP, receiver: Email, mail: Mail) -> Answer:
    if receiver.security is Security.STARTTLS:
        server.starttls(context=ssl.create_default_context())
    if receiver.user:
        server.login(receiver.user, receiver.password.reveal())
    refused = server.send_message(mail.message, receiver.sender, list(receiver.to))
    if not refused:
        return Answer(code=250, body="taken")
    return Answer(code=250, body=f"taken, but for {', '.join(sorted(refused))}")


def _text(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join(text.split())
