-- Robots whose newest frame the broker had within a minute, and all others.
SELECT
    count(*) FILTER (WHERE age <= interval '1 minute') AS "seen within a minute",
    count(*) FILTER (WHERE age > interval '1 minute' OR age IS NULL) AS "silent for longer"
FROM robot_state
WHERE enterprise || model IN (${model:sqlstring})
