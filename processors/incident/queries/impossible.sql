-- Readings in a stretch of time that no sensor can have. $1: the robot. $2 to $3: the stretch.
SELECT * FROM impossible_reading WHERE robot_id = $1 AND time >= $2 AND time <= $3 ORDER BY time, seq, signal, joint
