-- What happened to a robot's episodes, newest first. $1: its code. $2: a component, or '' for all. $3: how many.
SELECT episode_id, number, transition, status, component, rule, text, last_time AS time, live
FROM anomaly
WHERE robot_id = $1 AND ($2 = '' OR component = $2)
ORDER BY last_time DESC, episode_id, number DESC
LIMIT $3
