"""Is a logbook in the database the one that it was: its file, and the tables that others read it by.

In: what `serve/logbook_export.py` read, the platform's keys, checkpoints. Out: a `Verdict`. Called by `robovitals
verify-log CODE`. Beside what a file shows it holds the columns against the records, and the head, which the next
entry is judged by, against the last of them.
"""

from collections.abc import Sequence

import msgspec

from schemas.book import decode_book
from schemas.chain import Book, Fault, Found, advance
from schemas.checkpoint import Published
from schemas.entry import Record, decode_record
from schemas.errors import RejectError
from schemas.logbook import kind_name
from schemas.logbook_check import Verdict, check_logbook
from serve.logbook_export import Row, Stored


def check_stored(stored: Stored, platforms: frozenset[str], published: Sequence[Published]) -> Verdict:
    """Raises RejectError as `check_logbook` does."""
    verdict = check_logbook(stored.file(), platforms, published)
    if published and stored.anchor is None:
        verdict = _named(stored, verdict, published)
    more = [*_columns(stored.rows), *_head(stored, verdict, platforms)]
    faults = {*verdict.faults, *more}
    ordered = tuple(sorted(faults, key=lambda found: (found.number, found.fault, found.text)))
    return msgspec.structs.replace(verdict, faults=ordered)


def _named(stored: Stored, verdict: Verdict, published: Sequence[Published]) -> Verdict:
    """No head of these entries is one of the checkpoint, although it was made after the first of them: the file
    alone says so without a number, and what is here says after which entry.
    """
    newest = max((line.checkpoint for line in published), key=lambda checkpoint: checkpoint.size)
    if not stored.rows or stored.rows[0]["received_us"] > newest.time_us:
        return verdict
    last = stored.rows[-1]["number"]
    text = f"checkpoint {newest.size} ends this logbook with an entry that is not here, or was another"
    faults = tuple(found for found in verdict.faults if found.fault is not Fault.CHECKPOINT or found.number)
    return msgspec.structs.replace(verdict, faults=(*faults, Found(last + 1, Fault.TAIL_MISSING, text)))


def _columns(rows: Sequence[Row]) -> list[Found]:
    """Columns that say something else than their record. A number that differs shows in the file's order."""
    faults = []
    for row in rows:
        record = _record(row)
        if record is None:
            continue  # it is unreadable in the file too
        wrong = [name for name, value in _expected(record).items() if row[name] != value]
        if wrong:
            text = f"the table says otherwise than the record: {', '.join(wrong)}"
            faults.append(Found(row["number"], Fault.ALTERED, text))
    return faults


def _record(row: Row) -> Record | None:
    try:
        return decode_record(row["record"])
    except RejectError:
        return None


def _expected(record: Record) -> dict[str, object]:
    entry, link = record.signed.entry, record.link
    return {
        "number": link.number,
        "entry_id": entry.id,
        "kind": kind_name(type(entry.what)),
        "author": entry.author,
        "happened_us": entry.happened_us,
        "written_us": entry.written_us,
        "received_us": link.received_us,
        "runtime_s": entry.runtime_s,
    }


def _head(stored: Stored, verdict: Verdict, platforms: frozenset[str]) -> list[Found]:
    """Where all entries are sound, the head must follow from them."""
    last = stored.rows[-1]["number"] if stored.rows else 0
    if stored.head is None:
        return [Found(last, Fault.UNCHAINED, "the table of heads has none for this logbook")] if stored.rows else []
    if stored.head.entries != last:
        number = min(stored.head.entries, last) + 1
        text = f"the head stands at entry {stored.head.entries}, the last one is {last}"
        return [Found(number, Fault.TAIL_MISSING if last < stored.head.entries else Fault.UNCHAINED, text)]
    if not verdict.is_sound:
        return []
    book = Book(robot_id=stored.robot_id, platforms=platforms)
    for row in stored.rows:
        advance(book, decode_record(row["record"]))
    if stored.head.chain != book.chain:
        return [Found(last, Fault.UNCHAINED, "the head is another than this entry")]
    try:
        kept = decode_book(stored.head.book, platforms, book.kinds)
    except msgspec.MsgspecError:
        kept = None
    if kept != book:
        text = "what the next entry will be judged by does not follow from the entries: keys, status, receipt"
        return [Found(last, Fault.UNCHAINED, text)]
    return []
