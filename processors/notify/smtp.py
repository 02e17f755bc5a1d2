"""One mail: handed to a mail server, in a thread.

In: a message. Out: an Answer with the server's code: 250 when it has taken the mail for at least one mailbox.
Called by `processors/notify/delivering.py`. As with HTTP, the name is resolved once and its address checked.
"""

import asyncio
import smtplib
import socket
import ssl
import time
from typing import Any

from processors.notify.receivers import Email, Security, scrubbed
from processors.notify.resolver import Lookup, checked_addresses
from processors.notify.schedule import Answer
from processors.notify.wire import Mail, Outgoing
from schemas.errors import RetryError

STEP_TIMEOUT_S = 10.0
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
            return await asyncio.to_thread(_hand_over, receiver, addresses[0][1], mail)
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


class _Plain(smtplib.SMTP):
    """Connects to `address`; `host` stays what the certificate has to name."""

    def __init__(self, host: str, port: int, address: str, **options: Any) -> None:
        self._address = address
        super().__init__(host, port, timeout=STEP_TIMEOUT_S, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self._address, port), timeout)


class _Tls(smtplib.SMTP_SSL):
    """The same, with TLS from the beginning."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext) -> None:
        self._address = address
        super().__init__(host, port, timeout=STEP_TIMEOUT_S, context=context)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((self._address, port), timeout)
        return self.context.wrap_socket(plain, server_hostname=host)


def _hand_over(receiver: Email, address: str, mail: Mail) -> Answer:
    """In a thread of its own. Raises SMTPException, OSError."""
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if receiver.security is Security.TLS:
        server = _Tls(receiver.host, receiver.port, address, context)
    else:
        server = _Plain(receiver.host, receiver.port, address)
    with server:
        if receiver.security is Security.STARTTLS:
            server.starttls(context=context)
        if receiver.user:
            server.login(receiver.user, receiver.password.reveal())
        refused = server.send_message(mail.message, receiver.sender, list(receiver.to))
    if not refused:
        return Answer(code=250, body="taken")
    return Answer(code=250, body=f"taken, but for {', '.join(sorted(refused))}")


def _text(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join(text.split())
