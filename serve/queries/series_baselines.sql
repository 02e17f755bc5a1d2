-- What the latest episodes about a signal were compared with, by component. $1: code. $2: signal.
SELECT DISTINCT ON (component) component, baseline
FROM episode
WHERE robot_id = $1 AND signal = $2 AND baseline IS NOT NULL
ORDER BY component, last_sign DESC
