-- One statistic of one signal, a line a joint; the worst of its windows. A bucket without a value is there with NULL,
-- so that a gap is drawn as a gap.
WITH seen AS (
    SELECT
        time_bucket($__interval_ms * interval '1 millisecond', start) AS bucket, joint.number, max(joint.value) AS value
    FROM vitals CROSS JOIN LATERAL unnest({column}) WITH ORDINALITY AS joint (value, number)
    WHERE robot_id = ${robot:sqlstring} AND $__timeFilter(start) AND joint.value IS NOT NULL
    GROUP BY 1, 2
)
SELECT bucket AS time, 'joint ' || number AS metric, seen.value
FROM generate_series(
    time_bucket($__interval_ms * interval '1 millisecond', $__timeFrom()::timestamptz), $__timeTo()::timestamptz, $__interval_ms * interval '1 millisecond'
) AS bucket
CROSS JOIN (SELECT DISTINCT number FROM seen) AS joint
LEFT JOIN seen USING (bucket, number)
ORDER BY bucket, number
