-- Who was told of what, newest first, with what came of the last attempt. $1: a receiver, or null. $2: an episode, or
-- null. $3: only what was given up or waits after an attempt that failed. $4: also what nobody was told. $5: how many.
-- $6: only those before this one, or null.
SELECT delivery.id, delivery.delivery_id, delivery.message_id, delivery.receiver, delivery.route, delivery.event_id,
    delivery.episode_id, delivery.robot_id, delivery.transition, delivery.status, delivery.test, delivery.state,
    delivery.attempts, delivery.created, delivery.ready, delivery.due, delivery.finished, delivery.detail, last.code,
    coalesce(last.error, '') AS error, receiver.disabled IS NOT NULL AS disabled
FROM delivery
LEFT JOIN receiver ON receiver.name = delivery.receiver
LEFT JOIN LATERAL (
    SELECT code, error FROM delivery_attempt WHERE delivery_attempt.delivery = delivery.id ORDER BY id DESC LIMIT 1
) AS last ON true
WHERE ($1::text IS NULL OR delivery.receiver = $1) AND ($2::text IS NULL OR starts_with(delivery.episode_id, $2))
  AND (NOT $3::boolean OR delivery.state = 'failed' OR (delivery.state = 'pending' AND delivery.attempts > 0))
  AND ($4::boolean OR delivery.state <> 'dropped')
  AND ($6::bigint IS NULL OR delivery.id < $6)
ORDER BY delivery.id DESC
LIMIT $5
