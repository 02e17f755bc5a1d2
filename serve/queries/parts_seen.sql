-- Which serials a robot told of in its components, in the order of time. $1: its code. $2: how many, the newest.
SELECT component, serial, first, last FROM part_seen WHERE robot_id = $1 ORDER BY first DESC, component LIMIT $2
