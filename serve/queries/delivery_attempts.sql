-- Each attempt at a delivery, oldest first. $1: its id.
SELECT time, message_id, duration_ms, code, answer, error FROM delivery_attempt WHERE delivery = $1 ORDER BY id
