-- What of its windows is not a joint's. A bucket without windows is there with NULL, so that a gap is drawn as a gap.
SELECT bucket AS time, seen.*
FROM generate_series(
    time_bucket($__interval_ms * interval '1 millisecond', $__timeFrom()::timestamptz), $__timeTo()::timestamptz, $__interval_ms * interval '1 millisecond'
) AS bucket
LEFT JOIN LATERAL (
    SELECT {columns}
    FROM vitals
    WHERE robot_id = ${robot:sqlstring} AND start >= bucket AND start < bucket + $__interval_ms * interval '1 millisecond'
) AS seen ON true
ORDER BY 1
