-- How many frames a robot had dropped by its first frame of a stretch of time. $1: its code. $2: from when.
SELECT dropped FROM frame WHERE robot_id = $1 AND time >= $2 ORDER BY time, seq LIMIT 1
