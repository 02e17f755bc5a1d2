"""When a message is tried again, and what an answer means.

In: what came of an attempt, how many there were, a time. Out: what becomes of the message. Called by
`processors/notify/delivering.py`. Pure: chance is handed in.

The delays are those of the Standard Webhooks specification ("Deliverability and reliability"): from the end of each
attempt, over about three days.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec

from processors.notify.receivers import Kind

DELAYS_S = (
    5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600,
)  # fmt: skip
JITTER = 0.1  # ours: up to a tenth later, so that what failed together does not come back together
LONGEST_WAIT_S = 24 * 3600  # ours: a Retry-After is believed up to here
SHORTEST_WAIT_S = 1
UNSAID_WAIT_S = 60  # ours: for a 429 without Retry-After


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an attempt. `code`: HTTP's or SMTP's, 0 where none came; then `error` says why.

    `body`: its first bytes, for people. `retry_after`: the header's text.
    """

    code: int = 0
    body: str = ""
    error: str = ""
    retry_after: str = ""
    duration_s: float = 0.0


class Delivered(msgspec.Struct, frozen=True):
    pass


class Again(msgspec.Struct, frozen=True):
    """To be tried again at `due_us`. `pause`: until then nothing else is sent to this receiver either."""

    due_us: int
    pause: bool


class GivenUp(msgspec.Struct, frozen=True):
    why: str


class Gone(msgspec.Struct, frozen=True):
    """The receiver wants nothing any more: it is disabled, and what waits for it waits for a person."""

    why: str


Verdict = Delivered | Again | GivenUp | Gone


def verdict(kind: Kind, answer: Answer, attempts: int, now_us: int, chance: float) -> Verdict:
    """`attempts`: how many there were, with this one. `chance`: 0..1."""
    if is_success(answer):
        return Delivered()
    if kind is Kind.WEBHOOK and answer.code == 410:
        return Gone("it answered 410 Gone")
    if _is_final(kind, answer):
        return GivenUp(f"it refused this message for good ({answer.code})")
    if attempts > len(DELAYS_S):
        return GivenUp(f"{attempts} attempts")
    delay_us = round(DELAYS_S[attempts - 1] * (1 + JITTER * chance) * 1e6)
    if kind is not Kind.EMAIL and answer.code in (429, 503):
        asked_us = _asked_us(answer, now_us)
        if asked_us is not None:
            return Again(now_us + max(delay_us, asked_us), pause=True)
    return Again(now_us + delay_us, pause=False)


def is_success(answer: Answer) -> bool:
    """SMTP's 250 lies between HTTP's 200 and 299, too."""
    return 200 <= answer.code < 300


def _is_final(kind: Kind, answer: Answer) -> bool:
    """A webhook's receiver may be mended, so a webhook is tried to the end. A message that one of the others calls
    malformed will be so for ever.
    """
    if kind is Kind.EMAIL:
        return 500 <= answer.code < 600
    return kind is not Kind.WEBHOOK and answer.code in (400, 413, 422)


def _asked_us(answer: Answer, now_us: int) -> int | None:
    """Retry-After: seconds, or a date (RFC 9110). A 429 that does not say so still wants to be left alone."""
    text = answer.retry_after.strip()
    seconds: float | None = float(UNSAID_WAIT_S) if answer.code == 429 else None
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    elif text:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, IndexError):
            at = None
        if at is not None:
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now_us)
            seconds = (at - now).total_seconds()
    if seconds is None:
        return None
    return round(min(max(seconds, SHORTEST_WAIT_S), LONGEST_WAIT_S) * 1e6)
