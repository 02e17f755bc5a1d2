-- What happened to a robot's episodes, newest first. $1: its code. $2: a component, or '' for all. $3: how many.
SELECT episode_id, number, transition, status, component, rule, text, coalesce(acted, last_time) AS time, live, actor, note
FROM anomaly
WHERE robot_id = $1 AND ($2 = '' OR component = $2)
ORDER BY time DESC, episode_id, number DESC
LIMIT $3
