-- The kinds of entries that are there. $1 and $2: codes and ids, in pairs.
SELECT robot_id, entry_id, kind
FROM unnest($1::text[], $2::text[]) AS asked (robot_id, entry_id) JOIN logbook_entry USING (robot_id, entry_id)
