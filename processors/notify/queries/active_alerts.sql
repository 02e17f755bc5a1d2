-- The last that a receiver was told of each episode that it takes for open. $1: receiver. $2: how many.
-- $3: after this episode.
SELECT last.delivery_id, last.event, last.test
FROM told
CROSS JOIN LATERAL (
    SELECT delivery_id, event, test FROM delivery
    WHERE delivery.episode_id = told.episode_id AND delivery.receiver = told.receiver AND state = 'delivered'
    ORDER BY id DESC LIMIT 1
) AS last
WHERE told.receiver = $1 AND told.phase IN ('held', 'open') AND told.episode_id > $3
ORDER BY told.episode_id
LIMIT $2
