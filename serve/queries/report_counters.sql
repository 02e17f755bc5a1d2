-- The first and the last counters of robot $1 that are there.
(SELECT 'first' AS which, runtime_s, energy_wh, cycles FROM vitals_hourly
 WHERE robot_id = $1 AND runtime_s IS NOT NULL ORDER BY start LIMIT 1)
UNION ALL
(SELECT 'latest', runtime_s, energy_wh, cycles FROM vitals_hourly
 WHERE robot_id = $1 AND runtime_s IS NOT NULL ORDER BY start DESC LIMIT 1)
