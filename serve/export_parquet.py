"""Rows as Parquet, a row group for each piece, so that no more than a piece is in memory.

In: rows of a table. Out: bytes of the file. Needs the extra `parquet`. Called by `serve/export.py`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as arrow
from pyarrow import parquet

_TYPES = {
    "text": arrow.string(),
    "timestamptz": arrow.timestamp("us", tz="UTC"),
    "bool": arrow.bool_(),
    "int2": arrow.int16(),
    "int4": arrow.int32(),
    "int8": arrow.int64(),
    "float4": arrow.float32(),
    "float8": arrow.float64(),
    "_float4": arrow.list_(arrow.float32()),
    "float4[]": arrow.list_(arrow.float32()),
    "jsonb": arrow.string(),
}


class ParquetFile:
    """Pieces of a file, in their order."""

    def begin(self, columns: Sequence[tuple[str, str]]) -> bytes:
        """The head."""
        self._schema = arrow.schema([(name, _TYPES[kind]) for name, kind in columns])
        self._json = {name for name, kind in columns if kind == "jsonb"}
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(self._sink, self._schema, compression="zstd")
        return self._sink.taken()

    def add(self, rows: Sequence[Any]) -> bytes:
        """Some rows, as a row group."""
        columns = [
            arrow.array([self._value(field.name, row[at]) for row in rows], field.type)
            for at, field in enumerate(self._schema)
        ]
        self._writer.write_table(arrow.Table.from_arrays(columns, schema=self._schema))
        return self._sink.taken()

    def end(self) -> bytes:
        """The foot, which says where all is."""
        self._writer.close()
        return self._sink.taken()

    def _value(self, name: str, value: Any) -> Any:
        return msgspec.json.encode(value).decode() if name in self._json else value


class _Sink:
    """A file that is taken away in pieces."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """All of it is here."""

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
