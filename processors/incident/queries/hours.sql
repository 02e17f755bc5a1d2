-- The hours before a moment, oldest first. $1: the robot. $2 to $3: from when until before when.
SELECT {columns} FROM vitals_hourly WHERE robot_id = $1 AND start >= $2 AND start < $3 ORDER BY start
