-- What nobody can be told: its receiver is disabled, or not in the file any more. $1: the time. $2: made before.
UPDATE delivery SET state = 'failed', finished = $1, detail = 'nothing was sent to its receiver for too long'
FROM receiver
WHERE receiver.name = delivery.receiver AND delivery.state = 'pending' AND delivery.created < $2
  AND (receiver.disabled IS NOT NULL OR NOT receiver.configured)
