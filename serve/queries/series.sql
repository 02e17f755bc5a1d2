-- A signal's course in equal stretches of time. {rows}: where from, with columns `at`, `frames` and those that {value},
-- {low} and {high} (aggregates an asked joint, made by serve/series.py) read. $1: code. $2 and $3: from when until when.
-- $4: how long a stretch is. `first_us` and `last_us` are of the rows inside, for gaps.
SELECT
    (extract(epoch FROM time_bucket($4::interval, at)) * 1000000)::bigint AS time_us,
    (extract(epoch FROM min(at)) * 1000000)::bigint AS first_us,
    (extract(epoch FROM max(at)) * 1000000)::bigint AS last_us,
    sum(frames)::bigint AS frames,
    ARRAY[{value}]::float8[] AS value, ARRAY[{low}]::float8[] AS low, ARRAY[{high}]::float8[] AS high
FROM ({rows}) AS row
GROUP BY 1
ORDER BY 1
