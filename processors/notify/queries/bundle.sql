-- What goes into one message with the first of a bundle that is due. $1: receiver. $2: the time. $3: how many.
-- $4: bundle.
SELECT d.id, d.delivery_id
FROM delivery AS d
WHERE d.receiver = $1 AND d.bundle = $4 AND d.state = 'pending' AND d.message_id = '' AND d.ready <= $2
  AND (d.partition IS NULL OR d.ready <= ALL (
    SELECT coalesce(caught_up, '-infinity') FROM notified WHERE notified.partition = d.partition
  ))
  AND NOT EXISTS (
    SELECT FROM delivery AS earlier
    WHERE earlier.receiver = d.receiver AND earlier.episode_id = d.episode_id AND earlier.id < d.id
      AND earlier.state IN ('pending', 'sending')
      AND (earlier.state = 'sending' OR earlier.bundle <> d.bundle OR earlier.message_id <> '')
  )
ORDER BY d.id
LIMIT $3
