-- How many joints a robot has: as many as its newest window and its newest hour tell of. $1: code.
(SELECT coalesce(cardinality({column}), 0) AS joints FROM vitals WHERE robot_id = $1 ORDER BY start DESC LIMIT 1)
UNION ALL
(SELECT coalesce(cardinality({column}), 0) FROM vitals_hourly WHERE robot_id = $1 ORDER BY start DESC LIMIT 1)
