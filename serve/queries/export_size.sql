-- How many rows an export has. {table}, {time}: by serve/export.py; {condition}: which robots (serve/filters.py).
-- $1 and $2: from when until when.
SELECT count(*) AS rows
FROM {table}
WHERE {time} >= $1 AND {time} < $2 AND robot_id IN (SELECT robot_id FROM fleet_robot WHERE {condition})
