-- Send again, with all that was in the same message: as if never tried. $1: deliveries, or null. $2, $3: all of a
-- receiver since a time.
UPDATE delivery SET state = 'pending', due = now(), attempts = 0, finished = NULL, detail = ''
WHERE state IN ('delivered', 'failed') AND (
    id = ANY($1::bigint[]) OR (receiver = $2 AND created >= $3)
    OR message_id IN (SELECT message_id FROM delivery WHERE id = ANY($1::bigint[]) AND message_id <> '')
)
RETURNING id
