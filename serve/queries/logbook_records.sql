-- A robot's logbook. $1: its code.
SELECT record FROM logbook_entry WHERE robot_id = $1 ORDER BY number
