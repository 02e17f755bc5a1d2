-- Somebody says that it is there again: what waits for it goes out. $1: its name.
WITH enabled AS (
    UPDATE receiver SET disabled = NULL, reason = '', paused_until = NULL WHERE name = $1 RETURNING name
)
UPDATE delivery SET due = greatest(ready, now()), attempts = 0, detail = ''
FROM enabled WHERE delivery.receiver = enabled.name AND delivery.state = 'pending'
RETURNING delivery.id
