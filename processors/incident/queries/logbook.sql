-- A robot's logbook. $1: the robot.
SELECT number, happened, record FROM logbook_entry WHERE robot_id = $1 ORDER BY number
