-- What stands behind the commitments in a robot's logbook. $1: its code.
SELECT salt, value FROM logbook_opened WHERE robot_id = $1 ORDER BY number
