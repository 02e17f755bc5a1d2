-- The numbers of a robot's entries. $1: its code. $2: their ids.
SELECT entry_id, number FROM logbook_entry WHERE robot_id = $1 AND entry_id = ANY ($2::text[])
