-- How far a robot's logbook goes. $1: its code.
SELECT entries, chain, book, pinned_entries, pinned_chain FROM logbook_head WHERE robot_id = $1
