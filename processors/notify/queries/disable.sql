-- $1: receiver. $2: the time. $3: what it said.
UPDATE receiver SET disabled = $2, reason = $3 WHERE name = $1 AND disabled IS NULL
