-- Which of these there are for the one who asks. $1: deliveries.
SELECT id FROM delivery WHERE id = ANY($1::bigint[])
