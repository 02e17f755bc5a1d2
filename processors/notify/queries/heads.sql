-- What is to be sent now: of each episode the first that is not finished. Of a bundle that has not been sent yet all
-- its members may be. What may still be taken back waits until its partition was read beyond the end of its hold.
-- $1: receiver. $2: the time. $3: how many.
SELECT d.id, d.delivery_id, d.message_id, d.bundle
FROM delivery AS d
WHERE d.receiver = $1 AND d.state = 'pending' AND d.due <= $2
  AND (d.partition IS NULL OR d.ready <= ALL (
    SELECT coalesce(caught_up, '-infinity') FROM notified WHERE notified.partition = d.partition
  ))
  AND NOT EXISTS (
    SELECT FROM delivery AS earlier
    WHERE earlier.receiver = d.receiver AND earlier.episode_id = d.episode_id AND earlier.id < d.id
      AND earlier.state IN ('pending', 'sending')
      AND NOT (earlier.state = 'pending' AND d.bundle <> '' AND earlier.bundle = d.bundle
               AND earlier.message_id = d.message_id)
  )
ORDER BY d.due, d.id
LIMIT $3
