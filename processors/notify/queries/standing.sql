-- $1: receiver. $2: the time.
SELECT disabled IS NOT NULL AS disabled, coalesce(paused_until > $2, false) AS paused FROM receiver WHERE name = $1
