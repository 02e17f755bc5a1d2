-- Where leaves stand in the newest checkpoint's tree; 0: nowhere. $1: leaves.
SELECT leaf, position(leaf IN leaves) AS place FROM logbook_tree CROSS JOIN unnest($1::bytea[]) AS leaf
