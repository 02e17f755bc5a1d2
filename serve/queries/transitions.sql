-- What happened to one episode, newest first. $1: its id. $2: how many.
SELECT episode_id, number, transition, status, component, rule, text, coalesce(acted, last_time) AS time, live, actor, note
FROM anomaly
WHERE episode_id = $1
ORDER BY number DESC
LIMIT $2
