-- Ids of a robot's entries. $1: its code. $2: a number, or the beginning of an id, which is longer.
SELECT entry_id FROM logbook_entry
WHERE robot_id = $1 AND CASE WHEN $2 ~ '^[0-9]{1,9}$' THEN number = $2::integer ELSE entry_id ^@ $2 END
ORDER BY number
