"""How much of SQLite's write-ahead log a power cut tore off.

In: the log's file, and how many frames of it SQLite found whole. Out: the bytes after them that were written in the
same round. Called by `ingest/agent/store.py` when a spool is opened. (https://www.sqlite.org/fileformat.html#walformat)

SQLite ends the log silently where a check sum fails or a commit is missing, which is right, and tells nobody.
"""

from pathlib import Path

_HEADER, _FRAME_HEADER = 32, 24


def torn_bytes(log: Path, whole_frames: int, page_bytes: int) -> int:
    """Frames of an earlier round have other salts: they are left over, and no loss."""
    try:
        content = log.read_bytes()
    except OSError:
        return 0
    if len(content) < _HEADER:
        return len(content)
    salts = content[16:24]
    begin = at = _HEADER + whole_frames * (_FRAME_HEADER + page_bytes)
    while at < len(content):
        head = content[at : at + _FRAME_HEADER]
        if len(head) >= 16 and head[8:16] != salts:
            break
        at += _FRAME_HEADER + page_bytes
    return max(0, min(at, len(content)) - begin)
