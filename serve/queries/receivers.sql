-- Who is told, and how that stands.
SELECT name, kind, configured, disabled, reason, paused_until, last_success,
    (SELECT count(*) FROM delivery WHERE receiver = name AND state IN ('pending', 'sending')) AS pending,
    (SELECT count(*) FROM delivery WHERE receiver = name AND state = 'failed') AS failed
FROM receiver ORDER BY configured DESC, name
