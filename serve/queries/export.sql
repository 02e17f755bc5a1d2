-- What one robot has in a table, in the order of time. {columns}, {table}, {time} and {order}: by serve/export.py.
-- $1: code. $2 and $3: from when until when.
SELECT {columns} FROM {table}
WHERE robot_id = $1 AND {time} >= $2 AND {time} < $3
ORDER BY {order}
