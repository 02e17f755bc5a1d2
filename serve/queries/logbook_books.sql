-- Where these robots' logbooks stand. $1: codes.
SELECT robot_id, book FROM logbook_head WHERE robot_id = ANY ($1::text[])
