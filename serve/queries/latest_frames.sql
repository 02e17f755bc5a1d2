-- The newest frames of a robot with all their readings. $1: its code. $2: how many.
SELECT * FROM frame WHERE robot_id = $1 ORDER BY time DESC, seq DESC LIMIT $2
