-- Robots in whose logbooks a key was registered. $1: its digits.
SELECT DISTINCT robot_id FROM logbook_entry
WHERE kind = 'key_registered' AND position($1::bytea IN record) > 0 ORDER BY robot_id
