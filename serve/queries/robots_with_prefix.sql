-- Every robot that has sent something or has a logbook, by the beginning of its code. $1: the beginning.
SELECT robot_id FROM robot WHERE robot_id ^@ $1 UNION SELECT robot_id FROM logbook_head WHERE robot_id ^@ $1
