"""SQLite's and the system's errors as what they mean for the spool, in one place.

In: an exception of `sqlite3`, or an OSError. Out: DiskError with the spool's state, DamageError where the file
itself is at fault, SettingError where another process has it. Called by `ingest/agent/store.py` and `salvage.py`.
"""

import errno
import sqlite3
from typing import Literal

from schemas.errors import RetryError, SettingError

State = Literal["ok", "full", "read-only", "damaged"]

_FULL = {sqlite3.SQLITE_FULL}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_TAKEN = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# What a file says that was cut, overwritten or wiped. TOOBIG: a length in it is absurd; ERROR: a table that must be
# there is not, since our statements are fixed.
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_ERROR,
}
_UNREADABLE = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

# UnicodeDecodeError: the driver's own word for a message of SQLite's that quotes damaged bytes.
DRIVER_ERRORS = (sqlite3.DatabaseError, OSError, UnicodeDecodeError)


class DiskError(RetryError):
    """The disk does not take or give what it should; what is new stays in memory meanwhile."""

    def __init__(self, state: State, detail: str) -> None:
        super().__init__(f"the spool's disk is {state}: {detail}")
        self.state = state
        self.detail = detail


class DamageError(DiskError):
    """What is on the disk is not what was written: the file is set aside and a new one begun."""

    def __init__(self, detail: str) -> None:
        super().__init__("damaged", detail)


def mapped(error: BaseException, path: object) -> DiskError | SettingError:
    """What to raise in place of one of DRIVER_ERRORS."""
    if isinstance(error, OSError):
        number = error.errno or 0
        if number in _NO_ROOM:
            return DiskError("full", str(error))
        return DiskError("damaged" if number == errno.EIO else "read-only", str(error))
    if isinstance(error, sqlite3.ProgrammingError):
        raise error  # ours
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)  # without one: text that is none
    plain = code & 0xFF
    if plain in _TAKEN:
        return SettingError(f"{path}: another process has this spool open; one agent a spool")
    if plain in _FULL:
        return DiskError("full", str(error))
    if plain in _READ_ONLY:
        return DiskError("read-only", str(error))
    if plain in _DAMAGE or code in _UNREADABLE:
        return DamageError(str(error))
    return DiskError("damaged", str(error))


def mapped_at_open(error: BaseException, path: object) -> DiskError | SettingError:
    """The same while a file is opened that the system lets be written: what says no then is a damaged header."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY:
        return DamageError("its header says that it is read-only")
    return mapped(error, path)
