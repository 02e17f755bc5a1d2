-- The newest transitions of episodes. $1: how many.
SELECT robot_id, transition, status, component, rule, text, last_time, live
FROM anomaly
ORDER BY last_time DESC, episode_id, number DESC
LIMIT $1
