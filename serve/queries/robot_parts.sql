-- The parts that are in a robot now, as its logbook says. $1: its code.
SELECT component, serial, part, installed FROM installed_part WHERE robot_id = $1
ORDER BY split_part(component, '/', 1), length(component), component
