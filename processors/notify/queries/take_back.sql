-- $1, $2: deliveries that nobody is to hear of, and why. $3: the time.
UPDATE delivery SET state = 'dropped', finished = $3, detail = given.why
FROM unnest($1::text[], $2::text[]) AS given (delivery_id, why)
WHERE delivery.delivery_id = given.delivery_id AND delivery.state = 'pending'
