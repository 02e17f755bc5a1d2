"""Mail: plain text, an episode a thread.

In: the events that are told in one mail. Out: the message. Called by `processors/notify/outgoing.py`. Pure.

Its Message-ID follows from what it tells, so a repeat after a crash is the same mail to whoever drops repeats. Each
episode has a root id that no mail has: all mails about it refer to that, so mail programs show them together.
Robots' and people's texts reach headers on one line, and nothing else of a mail is made of them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from processors.notify.receivers import Email
from processors.notify.wire import TEST_WORDS, Event, Mail, happened_us, robot_words, shortened
from schemas.anomaly import FLEET, Anomaly
from schemas.health import SEVERITY

LONGEST_SUBJECT = 150
_MOST_REFERENCES = 20


def mail(receiver: Email, message_id: str, events: Sequence[Event], now_us: int) -> Mail:
    domain = receiver.sender.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = receiver.sender
    message["To"] = ", ".join(receiver.to)
    message["Subject"] = shortened(_one_line(_subject(events)), LONGEST_SUBJECT)
    message["Date"] = format_datetime(_at(now_us))
    message["Message-ID"] = f"<{message_id}@{domain}>"
    episodes = list(dict.fromkeys(event.anomaly.episode_id for event in events))
    roots = [f"<{episode}.episode@{domain}>" for episode in episodes[:_MOST_REFERENCES]]
    message["In-Reply-To"] = roots[0]
    message["References"] = " ".join(roots)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join(_paragraph(event) for event in events) + _FOOTER)
    return Mail(message=message)


_FOOTER = "\n\n-- \nrobovitals. Answer an alarm: robovitals act acknowledge CODE --episode ID\n"


def _subject(events: Sequence[Event]) -> str:
    """The worst of what still holds, and how many there are."""
    test = f"[{TEST_WORDS}] " if any(event.test for event in events) else ""
    last = {event.anomaly.episode_id: event.anomaly for event in events}
    worst = max(last.values(), key=lambda a: (a.active, SEVERITY[a.status]))
    more = f" (and {len(last) - 1} more)" if len(last) > 1 else ""
    return f"{test}{_head(worst)}{more}"


def _head(anomaly: Anomaly) -> str:
    word = anomaly.status.value.replace("_", " ") if anomaly.active else "over"
    place = robot_words(anomaly) if anomaly.robot_id == FLEET else f"{robot_words(anomaly)} {anomaly.component}"
    return f"{word}: {place}: {anomaly.text}"


def _paragraph(event: Event) -> str:
    a = event.anomaly
    what = f"{a.transition}, {a.status}".replace("_", " ")
    lines = [
        f"{_at(happened_us(a)):%Y-%m-%d %H:%M:%S} UTC  {what}",
        _one_line(event.sentence),
        f"robot {robot_words(a)}, component {a.component}, software {_one_line(a.software) or 'not told'}",
        f"episode {a.episode_id}, event {a.number}, since {_at(a.first_us):%Y-%m-%d %H:%M:%S} UTC",
    ]
    return "\n".join(lines)


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _at(time_us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
