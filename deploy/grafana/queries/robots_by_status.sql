-- How many robots have each status. Silence counts at once: health says so only with the next pulse.
SELECT status, count(*) AS robots
FROM robot_state
WHERE enterprise || model IN (${model:sqlstring})
GROUP BY status
ORDER BY robots DESC
