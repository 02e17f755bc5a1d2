-- The newest windows of a robot with all their statistics. $1: its code. $2: how many.
SELECT * FROM vitals WHERE robot_id = $1 ORDER BY start DESC LIMIT $2
