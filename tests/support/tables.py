"""Checksums of tables, to compare two runs of the pipeline."""

import asyncpg

# When the broker had a frame is not the same in two runs, nor is whether a window came final or repaired.
LEFT_OUT = {"received", "kind"}

# A sum's order may change the last place of a mean or rms, so six digits are compared.
ROUNDED = ("_mean", "_rms")

TABLES = {
    "frame": "robot_id, time, seq, boot_id",
    "impossible_reading": "robot_id, time, seq, boot_id, signal, joint",
    "reject": "topic, partition, record_offset",
    "vitals": "robot_id, start, length_us",
    "anomaly": "episode_id, number",
    "episode": "episode_id",
}


async def checksums(connection: asyncpg.Connection) -> dict[str, tuple[int, str]]:
    """By table: rows, and an MD5 over them in the order of their key."""
    return {table: await _checksum(connection, table, order) for table, order in TABLES.items()}


async def _checksum(connection: asyncpg.Connection, table: str, order: str) -> tuple[int, str]:
    columns = await connection.fetch(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' "
        "AND table_name = $1 ORDER BY ordinal_position",
        table,
    )
    parts = [_part(c["column_name"], c["data_type"]) for c in columns if c["column_name"] not in LEFT_OUT]
    row = await connection.fetchrow(
        f"SELECT count(*) AS rows, md5(coalesce(string_agg(concat_ws('|', {', '.join(parts)}), E'\\n' "
        f"ORDER BY {order}), '')) AS sum FROM {table}"
    )
    return row["rows"], row["sum"]


def _part(name: str, kind: str) -> str:
    if not name.endswith(ROUNDED):
        return f'"{name}"::text'
    if kind == "ARRAY":
        return f"""(SELECT string_agg(coalesce(to_char(v, '9.99999EEEE'), '-'), ',') FROM unnest("{name}") v)"""
    return f"""to_char("{name}", '9.99999EEEE')"""
