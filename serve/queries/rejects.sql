-- Rejects, newest first. $1: a reason, or null. $2 to $5: where the page before ended, or nulls. $6: how many.
SELECT topic, partition, record_offset, received, reason, detail, key, value, redriven, redriven_by
FROM reject
WHERE ($1::text IS NULL OR reason = $1)
  AND ($2::timestamptz IS NULL OR (received, topic, partition, record_offset) < ($2, $3::text, $4::int, $5::bigint))
ORDER BY received DESC, topic DESC, partition DESC, record_offset DESC
LIMIT $6
