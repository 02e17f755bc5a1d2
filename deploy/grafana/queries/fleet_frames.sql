-- Frames that windows hold, and sequence numbers that are missing from them, a second. A bucket without windows is
-- there with NULL, so that a gap is drawn as a gap.
SELECT bucket AS time, "frames/s", "missing/s"
FROM generate_series(
    time_bucket($__interval_ms * interval '1 millisecond', $__timeFrom()::timestamptz), $__timeTo()::timestamptz, $__interval_ms * interval '1 millisecond'
) AS bucket
LEFT JOIN (
    SELECT
        time_bucket($__interval_ms * interval '1 millisecond', start) AS bucket,
        sum(frames) / ($__interval_ms / 1000.0) AS "frames/s",
        sum(missing) / ($__interval_ms / 1000.0) AS "missing/s"
    FROM vitals
    WHERE $__timeFilter(start)
    GROUP BY 1
) AS seen USING (bucket)
ORDER BY 1
