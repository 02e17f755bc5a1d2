-- $1: attempts. $2 to $5: how long it took, the code (0: none came), the answer's first bytes, what went wrong.
UPDATE delivery_attempt SET duration_ms = $2, code = nullif($3::integer, 0), answer = $4, error = $5
WHERE id = ANY($1::bigint[])
