-- $1: receiver. $2: the time.
UPDATE receiver SET last_success = $2 WHERE name = $1
