-- Of what is held back that which nobody has begun to send, and cannot until this transaction ends. $1: deliveries.
SELECT delivery_id FROM delivery
WHERE delivery_id = ANY($1::text[]) AND state = 'pending' AND message_id = ''
FOR UPDATE
