-- Begin to send, and note that. What was taken back meanwhile is left out. $1: ids. $2: message. $3: the time.
WITH claimed AS (
    UPDATE delivery SET state = 'sending', attempts = attempts + 1, message_id = $2
    WHERE id = ANY($1::bigint[]) AND state = 'pending'
    RETURNING id, delivery_id, event, test, attempts
), noted AS (
    INSERT INTO delivery_attempt (delivery, message_id, time) SELECT id, $2, $3 FROM claimed
    RETURNING id, delivery
)
SELECT claimed.id, delivery_id, event, test, attempts, noted.id AS attempt
FROM claimed JOIN noted ON noted.delivery = claimed.id
ORDER BY claimed.id
