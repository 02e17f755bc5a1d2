-- What calls somebody, or is acknowledged and holds, oldest first; nothing that a parent speaks for.
SELECT robot_id, component, status, state, opened, text, count AS signs, software, actor, note
FROM episode
WHERE state IN ('unacknowledged_active', 'acknowledged_active') AND parent = ''
ORDER BY state DESC, opened
LIMIT 200
