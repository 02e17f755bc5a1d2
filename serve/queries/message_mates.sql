-- What was told in the same message as each of these, itself included. $1: deliveries.
WITH wanted AS (SELECT id, message_id FROM delivery WHERE id = ANY($1::bigint[])),
mate AS (
    SELECT id, message_id FROM delivery
    WHERE id = ANY($1::bigint[]) OR message_id IN (SELECT message_id FROM wanted WHERE message_id <> '')
)
SELECT wanted.id, array_agg(mate.id) AS mates
FROM wanted
JOIN mate ON mate.id = wanted.id OR (wanted.message_id <> '' AND mate.message_id = wanted.message_id)
GROUP BY wanted.id
