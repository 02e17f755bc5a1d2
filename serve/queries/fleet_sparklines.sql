-- The worst value of a statistic by hour. {hourly} and {newest}: its worst joint's value in an hour, and in the newest
-- window. $1: codes. $2 and $3: from which hour until which moment. The hour that is running is not rolled up yet: it
-- shows its newest window.
SELECT robot_id, start, ({hourly})::float8 AS value
FROM vitals_hourly
WHERE robot_id = ANY ($1::text[]) AND start >= $2 AND start <= $3
UNION ALL
SELECT asked.robot_id, latest.start, ({newest})::float8
FROM unnest($1::text[]) AS asked (robot_id)
CROSS JOIN LATERAL (
    SELECT * FROM vitals
    WHERE vitals.robot_id = asked.robot_id AND vitals.start >= $3::timestamptz - interval '1 hour' AND start <= $3
    ORDER BY start DESC LIMIT 1
) AS latest
ORDER BY 1, 2
